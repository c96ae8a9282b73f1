#!/bin/bash
source ./lib/common.sh
. "$HOME/other.sh"

LIMIT=10
export MODE=fast
readonly ROOT=/srv

# Opens the shop.
open_shop() {
  local day="$1"
  log_line "$day"
}

function close_shop {
  open_shop 1 | sort
}
