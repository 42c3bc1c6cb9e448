#!/usr/bin/env bash
# Ends every coordinator that runs from this home; SIGNAL names another signal than TERM.
self=$(readlink -f "${BASH_SOURCE[0]}")
exec bash "${self%/*}/../libexec/stop-service" coordinator "No zookeeper server to stop"
