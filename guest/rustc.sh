#!/bin/sh
# What cargo calls in place of rustc: names each crate by its package alone. Cargo's own name has the absolute path of
# the host's crates in it, and then the bytes of the guests depend on where the checkout is.
for argument; do
    shift
    case $argument in metadata=*) argument=metadata=${CARGO_PKG_NAME-} ;; esac
    set -- "$@" "$argument"
done
exec "$@"
