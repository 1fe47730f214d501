/** Work on many things, a few at a time; results in the order of the things. */
export async function atOnce<Thing, Result>(
  things: readonly Thing[],
  most: number,
  work: (thing: Thing) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(things.length)
  let next = 0
  const worker = async () => {
    for (let i = next++; i < things.length; i = next++) results[i] = await work(things[i]!)
  }
  await Promise.all(Array.from({ length: most }, worker))
  return results
}
