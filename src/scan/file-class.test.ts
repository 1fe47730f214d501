/** Disk images by their marks, wherever these stand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileKind } from './file-class.ts'

const marked = (mark: string, at: number, size = 40_000) => {
  const octets = Buffer.alloc(size)
  octets.write(mark, at, 'latin1')
  return octets
}

test('disk images: ISO, UDF, FAT, NTFS, virtual disks that grow and of fixed size', () => {
  const images: [string, number][] = [
    ['CD001', 0x8001],
    ['BEA01', 0x8001],
    ['NTFS    ', 3],
    ['FAT16   ', 54],
    ['FAT32   ', 82],
    ['vhdxfile', 0],
    ['conectix', 0],
    ['conectix', 40_000 - 512],
  ]
  for (const [mark, at] of images) assert.equal(fileKind(marked(mark, at)).class, 'disk-image', `${mark} at ${at}`)
  assert.equal(fileKind(marked('conectix', 20_000)).class, 'other')
  assert.equal(fileKind(Buffer.from('conec')).class, 'text')
})
