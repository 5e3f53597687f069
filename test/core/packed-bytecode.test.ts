import { expect, test } from "vitest";
import { BytecodePacker, PackedBytecode } from "../../src/core/packed-bytecode.ts";

function packed(functions: Readonly<Record<string, Uint8Array>>): readonly SharedArrayBuffer[] {
  const packer = new BytecodePacker();
  for (const [key, code] of Object.entries(functions)) packer.add(key, code);
  return packer.pack();
}

test("finds each function by its key, and nothing under another", () => {
  const functions: Record<string, Uint8Array> = {};
  for (let index = 0; index < 500; index++)
    functions[`${index} /srv/apps/ä${index}.lua`] = Uint8Array.from({ length: index }, (_, at) => at + index);
  const bytecode = new PackedBytecode(packed(functions));
  for (const [key, code] of Object.entries(functions)) expect(bytecode.find(key)).toEqual(code);
  expect(bytecode.find("500 /srv/apps/ä500.lua")).toBeUndefined();
});

test("keeps no hold of the bytes that it was given", () => {
  const code = Uint8Array.of(1, 2, 3);
  const bytecode = new PackedBytecode(packed({ a: code }));
  code.fill(0);
  expect(bytecode.find("a")).toEqual(Uint8Array.of(1, 2, 3));
});

test("is in pieces when it is large, a function of any size in one of them", () => {
  const large = new Uint8Array(3 * 1024 ** 2).fill(7);
  const pieces = packed({ a: large, b: Uint8Array.of(1), c: large, d: Uint8Array.of(2) });
  expect(pieces.length).toBe(3);
  const bytecode = new PackedBytecode(pieces);
  expect(bytecode.find("c")?.length).toBe(large.length);
  expect(bytecode.find("d")).toEqual(Uint8Array.of(2));
});

test("is nothing when nothing was compiled", () => {
  expect(packed({})).toEqual([]);
  expect(new PackedBytecode([]).find("a")).toBeUndefined();
});
