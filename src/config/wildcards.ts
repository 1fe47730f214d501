/** Domains that stand for all below them: `*.bakery.example`. */

/** What is said of the closest wildcard above a name, or above another wildcard. */
export function wildcardOver<T>(name: string, owners: ReadonlyMap<string, T>): T | undefined {
  const start = name.startsWith('*.') ? name.indexOf('.') + 1 : 0
  for (let dot = name.indexOf('.', start); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const above = owners.get(`*${name.slice(dot)}`)
    if (above !== undefined) return above
  }
  return undefined
}
