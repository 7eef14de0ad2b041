//! Build script of `crates/node`: the linker settings of a Node-API addon.

fn main() {
    napi_build::setup();
}
