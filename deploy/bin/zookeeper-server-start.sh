#!/usr/bin/env bash
# zookeeper-server-start.sh [-daemon] zookeeper.properties
self=$(readlink -f "${BASH_SOURCE[0]}")
exec bash "${self%/*}/../libexec/start-service" zookeeper "$0" "$@"
