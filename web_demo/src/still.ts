/** Whether two frames are equal in every bit. Then nothing moves, whatever a network gives: as tfflow/data/arrays.py has it. */
export function atRest(first: ImageData, second: ImageData): boolean {
  return first.data.length === second.data.length && first.data.every((x, i) => x === second.data[i]);
}
