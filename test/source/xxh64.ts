/** XXH64 by its specification (github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md), seed 0, to check against. */

const mask = (1n << 64n) - 1n;
const [p1, p2, p3, p4, p5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
];
const times = (a: bigint, b: bigint) => (a * b) & mask;
const plus = (a: bigint, b: bigint) => (a + b) & mask;
const turn = (a: bigint, bits: bigint) => ((a << bits) | (a >> (64n - bits))) & mask;
const round = (lane: bigint, input: bigint) => times(turn(plus(lane, times(input, p2)), 31n), p1);

export function xxh64(bytes: Buffer): string {
  let at = 0;
  let hash = p5;
  if (bytes.length >= 32) {
    const lanes = [plus(p1, p2), p2, 0n, (mask + 1n - p1) & mask];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let i = 0; i < 4; i += 1) lanes[i] = round(lanes[i] as bigint, bytes.readBigUInt64LE(at + 8 * i));
    }
    hash = lanes.reduce((sum, lane, i) => plus(sum, turn(lane, [1n, 7n, 12n, 18n][i] as bigint)), 0n);
    for (const lane of lanes) hash = plus(times(hash ^ round(0n, lane), p1), p4);
  }
  hash = plus(hash, BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    hash = plus(times(turn(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n), p1), p4);
  }
  if (at + 4 <= bytes.length) {
    hash = plus(times(turn(hash ^ times(BigInt(bytes.readUInt32LE(at)), p1), 23n), p2), p3);
    at += 4;
  }
  for (; at < bytes.length; at += 1)
    hash = times(turn(hash ^ times(BigInt(bytes[at] as number), p5), 11n), p1);
  hash = times(hash ^ (hash >> 33n), p2);
  hash = times(hash ^ (hash >> 29n), p3);
  return (hash ^ (hash >> 32n)).toString(16).padStart(16, "0");
}
