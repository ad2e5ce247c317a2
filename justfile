# Shorthands; the logic is in crates/xtask (`cargo xtask --help`).

# List what there is.
default:
    @just --list

# Run the server on a directory of its own.
serve *arguments:
    cargo run --release -- serve {{arguments}}

# Run every test that this machine can run.
test *arguments:
    cargo xtask test {{arguments}}

# Check the rules of the house.
tidy:
    cargo xtask tidy

# Write api/openapi.json and docs/cli.md.
generate *arguments:
    cargo xtask generate {{arguments}}

# Kill the server under load and look for what is missing.
proof rounds="20":
    cargo xtask proof kill --rounds {{rounds}}

# Measure beside the machine's limits.
bench *arguments:
    cargo xtask bench {{arguments}}
