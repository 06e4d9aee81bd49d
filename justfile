# Every command of CI by its name: `just test`. Without just, type the line below the name: all are
# plain cargo or a script of this repository. `.ci/run` runs them all but the benchmarks, and
# installs what they need.

# Lists the commands.
default:
    @just --list

# Everything that CI runs; takes a while.
ci:
    .ci/run

# Formats the code; CI checks it with `cargo fmt --all --check`.
fmt:
    cargo fmt --all

# Lints; a warning is an error.
clippy:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Finds dependencies that no code uses (`cargo install cargo-machete`).
machete:
    cargo machete --with-metadata --skip-target-dir

# Builds the documentation; a broken link is an error.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Runs scenarios: all, or those that the arguments choose.
scenarios *arguments:
    cargo run -- run {{arguments}}

# Runs every test.
test:
    cargo test --workspace

# Runs the tests of one crate, such as `just test-crate rehearse-cli doctor`.
test-crate crate *filter:
    cargo test -p {{crate}} {{filter}}

# Drives the pages in a browser (`apt-get install chromium nodejs npm`).
browser *files:
    scripts/browser {{files}}

# Runs the tests under false clocks (`apt-get install faketime`).
faketime *arguments:
    scripts/false-clock {{arguments}}

# Runs what takes too long for every change: properties, store, simulation, sweep, explore, faults, fuzz.
deep *parts:
    scripts/deep {{parts}}

# Runs the tests of examples/pytest against examples/python (`pip install pytest`).
pytest:
    cargo build && examples/pytest/run "${CARGO_TARGET_DIR:-target}/debug/rehearse-shop"

# Runs the tests of examples/jest against examples/python (`npm install` in its folder).
jest:
    cargo build && examples/jest/run "${CARGO_TARGET_DIR:-target}/debug/rehearse-shop"

# Plays client libraries against the fake OpenAI: `just clients`, `just clients litellm`.
clients *names:
    tests/sdk/clients/run {{names}}

# Lets every call of the core scenarios fail in every way, and judges what always holds.
sweep *arguments:
    cargo run -- run --tag core --sweep {{arguments}}

# Plants the faults of `tests/faults` into the handlers, and says which check notices each.
faults *arguments:
    tests/faults/run {{arguments}}

# Plays schedules: `just simulate --schedules 10000`, `just simulate --plant all`.
simulate *arguments:
    cargo run --release -p simulation -- {{arguments}}

# Builds the deployment packages for arm64; `scripts/package --tools` gets what that needs.
package:
    scripts/package

# Measures the release build beside its targets.
bench:
    benches/speed.sh

# Measures functions as processes beside `cargo lambda watch` (`cargo install cargo-lambda`).
bench-lambda *arguments:
    benches/lambda.sh {{arguments}}

# Measures the embedded database beside DynamoDB Local; needs Docker.
bench-dynamodb *arguments:
    benches/dynamodb.sh {{arguments}}

# Measures how long builds take and how large the programs are.
bench-build *arguments:
    benches/build.sh {{arguments}}
