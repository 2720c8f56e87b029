#include "dnsd/ctl/completion.h"

namespace meshdns::ctl {

std::string bash_completion() {
  return R"(_meshdnsctl() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" words
  case "$previous" in
    -o|--output) words="table json yaml" ;;
    get|describe) words="vd nodes endpoints clusters overrides" ;;
    delete) words="vd cluster override" ;;
    force) words="up down" ;;
    drain|undrain|unforce|up|down) words="endpoint= node= service= zone= cluster=" ;;
    --down|--drain|--up) words="endpoint= node= service= zone= cluster=" ;;
    completion) words="bash" ;;
    -f|--file|--mesh|--ca|--certificate|--key) COMPREPLY=($(compgen -f -- "$current")); return ;;
    *) words="apply diff delete get describe explain simulate history watch lint status drain undrain force unforce freeze thaw approve-shrink capture completion --server --ca --certificate --key --output --help --version" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _meshdnsctl meshdnsctl
)";
}

}  // namespace meshdns::ctl
