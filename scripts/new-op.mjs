// Writes the skeleton of an op: `npm run new:op my-op`. Three source files, one spec, two index lines (and one line in
// the list of Rust modules for each crate). The skeleton doubles its input; it builds and passes as it stands.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [kebab, folder = root] = process.argv.slice(2)
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(kebab ?? '')) {
  console.error('usage: npm run new:op NAME    NAME in kebab-case, such as soft-sign')
  process.exit(1)
}
const snake = kebab.replaceAll('-', '_')
const camel = kebab.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase())

const files = {
  [`crates/kernels/src/${snake}.rs`]: `//! One sentence: what ${camel} computes, and its place on the way.

use crate::Exec;
use crate::simd::vectorize;

/// Elements in one tile.
const GRAIN: usize = 1 << 14;

vectorize! {
    fn forward_span[](x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = x * 2.0;
        }
    }
}

/// y = 2x. Both have the same length.
pub fn forward(cx: &Exec, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    cx.chunks_mut(y, GRAIN, |start, y| forward_span(cx.isa, &x[start..start + y.len()], y));
}

/// What is right, in plain loops.
pub mod reference {
    use num_traits::Float;

    pub fn forward<T: Float>(x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x + x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_agrees_with_the_reference() {
        for len in [0, 1, 15, 16, 17, GRAIN + 3] {
            let x: Vec<f32> = (0..len).map(|i| (i % 101) as f32 - 50.0).collect();
            let mut expected = vec![0.0; len];
            reference::forward(&x, &mut expected);
            for cx in Exec::all_for_tests() {
                let mut y = vec![0.0; len];
                forward(&cx, &x, &mut y);
                assert_eq!(y, expected, "{:?}", cx.isa);
            }
        }
    }
}
`,
  [`crates/node/src/ops/${snake}.rs`]: `use ferrograd_kernels::${snake} as kernel;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Launch, same_length};
use crate::runtime::Handle;

#[napi(catch_unwind)]
pub fn ${snake}_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    Launch::new(&env, "${camel}")?.float(
        [x],
        [y],
        |[x], [y]| same_length(&[x, y]),
        |cx, [x], [y]| kernel::forward(cx, x, y),
        |[x], [y]| kernel::reference::forward(x, y),
    )
}
`,
  [`ts/ops/${kebab}.ts`]: `// One sentence: what ${camel} is for.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

/**
 * What the caller gets, y = 2x, element by element. Any shape, float.
 *
 * Source: author, year.
 *
 * @example
 * \`\`\`ts
 * import { ${camel}, tensor } from 'ferrograd'
 * console.log(await ${camel}(tensor([1, 2])).array()) // [ 2, 4 ]
 * \`\`\`
 */
export function ${camel}(x: Tensor): Tensor {
  checkTensor('${camel}', 'x', x)
  checkFloat('${camel}', 'x', x.dtype)
  const y = empty(x.shape, x.dtype)
  native.${camel}Forward(x.handle, y.handle)
  return record('${camel}', y, [x], [], (dy) => {
    const dx = empty(dy.shape, dy.dtype)
    native.${camel}Forward(dy.handle, dx.handle)
    return [dx]
  })
}
`,
  [`__test__/ops/${kebab}.spec.ts`]: `import test from 'ava'
import { gradCheck, tensor, ${camel} } from 'ferrograd'

test('${camel} doubles', async (t) => {
  t.deepEqual(await ${camel}(tensor([[1, -2.5]])).array(), [[2, -5]])
})

test('${camel} has the gradient of finite differences', async (t) => {
  t.true((await gradCheck(${camel}, [tensor([1, -2], { dtype: 'float64' })])).passed)
})

test('${camel} refuses integers', (t) => {
  t.throws(() => ${camel}(tensor([1], { dtype: 'int32' })), {
    message:
      "${camel}: x has dtype int32, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })",
  })
})
`,
}

/** Adds a line to the block of lines that look like it, in alphabetical order. */
function addLine(path, line, pattern) {
  const file = join(folder, path)
  const lines = readFileSync(file, 'utf8').split('\n')
  const block = lines.flatMap((text, i) => (pattern.test(text) ? [i] : []))
  const at = block.find((i) => lines[i] > line) ?? (block.at(-1) ?? lines.length - 2) + 1
  lines.splice(at, 0, line)
  writeFileSync(file, lines.join('\n'))
  console.log(`${path}: ${line}`)
}

const taken = Object.keys(files).filter((path) => existsSync(join(folder, path)))
if (taken.length > 0) {
  console.error(`new:op: there is a file already: ${taken.join(', ')}`)
  process.exit(1)
}
for (const [path, text] of Object.entries(files)) {
  writeFileSync(join(folder, path), text)
  console.log(path)
}
addLine('crates/kernels/src/lib.rs', `pub mod ${snake};`, /^pub mod \w+;$/)
addLine('crates/node/src/ops/mod.rs', `mod ${snake};`, /^mod \w+;$/)
addLine('ts/ops/index.ts', `export { ${camel} } from './${kebab}.js'`, /^export /)
