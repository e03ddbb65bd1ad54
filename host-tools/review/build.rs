//! Stops early, in words, when the page is not built: the binary carries it.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    if !std::path::Path::new("web/dist/index.html").is_file() {
        println!("cargo::error=the page is not built: run `cargo xtask setup`");
    }
}
