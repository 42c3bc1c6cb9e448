#!/usr/bin/env bash
# Ends every broker that runs from this home; SIGNAL names another signal than TERM.
self=$(readlink -f "${BASH_SOURCE[0]}")
exec bash "${self%/*}/../libexec/stop-service" broker "No kafka server to stop"
