// Safetensors files made by hand.

/** A file with this header, and these bytes behind it. */
export function fileOf(header: unknown, contents: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, contents])
}
