/**
 * Names in archives carry no charset that all programs go by. What one unpacks as `invoice.exe` must be called that here
 * too, so a name has several readings: UTF-8, the code page of DOS, the one of Windows, and cut at a NUL where C stops.
 */

const DOS_UPPER_HALF =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ '

/** Of one name, in octets: formats allow 65,535, no file system does. */
const NAME_OCTETS_MAX = 4_096

const utf8 = new TextDecoder('utf-8', { fatal: true })
const windows = new TextDecoder('windows-1252')

export function nameReadings(octets: Buffer): string[] {
  const bounded = octets.subarray(-NAME_OCTETS_MAX)
  const names = bounded.some((octet) => octet > 0x7f) ? eightBitReadings(bounded) : [bounded.toString('latin1')]
  const cut = names.filter((name) => name.includes('\0')).map((name) => name.slice(0, name.indexOf('\0')))
  return [...new Set([...names, ...cut])].filter((name) => name !== '')
}

export function utf16Name(octets: Buffer): string {
  return octets
    .subarray(0, NAME_OCTETS_MAX)
    .subarray(0, octets.length & ~1)
    .toString('utf16le')
    .replace(/\0.*$/s, '')
}

function eightBitReadings(octets: Buffer): string[] {
  const dos = [...octets].map((octet) =>
    octet > 0x7f ? (DOS_UPPER_HALF[octet - 0x80] ?? ' ') : String.fromCharCode(octet),
  )
  const others = [dos.join(''), windows.decode(octets)]
  try {
    return [utf8.decode(octets), ...others]
  } catch {
    return others
  }
}
