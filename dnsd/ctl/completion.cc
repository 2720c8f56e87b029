#include "dnsd/ctl/completion.h"

namespace meshdns::ctl {

std::string bash_completion() {
  return R"(_meshdnsctl() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" words
  case "$previous" in
    -o|--output) words="table json yaml" ;;
    get|describe) words="vd nodes endpoints clusters" ;;
    delete) words="vd cluster" ;;
    --down|--drain|--up) words="cluster= zone= node= service= endpoint="; compopt -o nospace ;;
    completion) words="bash" ;;
    -f|--file|--mesh|--ca|--certificate|--key) COMPREPLY=($(compgen -f -- "$current")); return ;;
    *) words="apply diff delete get describe explain simulate history watch lint status approve-shrink capture completion --server --ca --certificate --key --output --help --version" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _meshdnsctl meshdnsctl
)";
}

}  // namespace meshdns::ctl
