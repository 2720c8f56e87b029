#include "dnsd/ctl/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "dnsd/ctl/commands.h"

namespace meshdns::ctl {
namespace {

using Words = std::vector<std::string>;

// Bash splits a word at = and :, and replaces only the part behind the last of them.
constexpr const char* kBash = R"(_meshdnsctl() {
  local line="${COMP_LINE:0:COMP_POINT}" words current cut
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  current="${words[-1]}"
  mapfile -t COMPREPLY < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
  if [[ "${COMPREPLY[0]}" == ":files" ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  cut="${current%"${current##*[=:]}"}"
  COMPREPLY=("${COMPREPLY[@]#"$cut"}")
  [[ ${#COMPREPLY[@]} == 1 && "${COMPREPLY[0]}" == *= ]] && compopt -o nospace 2>/dev/null
}
complete -F _meshdnsctl meshdnsctl
)";

constexpr const char* kZsh = R"(#compdef meshdnsctl
_meshdnsctl() {
  local -a found open
  found=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "$found[1]" == ":files" ]]; then _files; return; fi
  open=("${(@M)found:#*=}")
  found=("${(@)found:#*=}")
  compadd -S '' -- $open
  compadd -- $found
}
if [ "$funcstack[1]" = "_meshdnsctl" ]; then _meshdnsctl "$@"; else compdef _meshdnsctl meshdnsctl; fi
)";

constexpr const char* kFish = R"(function __meshdnsctl_complete
  set -l words (commandline -opc)
  set -l found ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
  if test "$found[1]" = ":files"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\n' $found
  end
end
complete -c meshdnsctl -f -a '(__meshdnsctl_complete)'
)";

const Words kFiles = {":files"};
const Words kKinds = {"vd", "nodes", "endpoints", "clusters", "overrides"};

/// Returns the command of this name, or the part of a command; null = none.
const CLI::App* command_named(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

/// Returns the parts of a command: "init", "issue" of "ca".
Words parts_of(const CLI::App& app) {
  Words out;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    out.push_back(command->get_name());
  }
  return out;
}

Words commands_of(const CLI::App& cli) {
  Words out = parts_of(cli);
  out.insert(out.end(), {"help", "version"});
  return out;
}

/// Returns targets: "node=eu-1/n1" if the word has its "=" already, otherwise "node=" and its siblings.
Words targets(const std::string& word, const Names& names) {
  static const std::map<std::string, std::string> kOf = {
      {"node", "Node"}, {"cluster", "Cluster"}, {"service", "service"}, {"zone", "zone"}, {"endpoint", "Endpoint"}};
  Words out;
  const auto equals = word.find('=');
  if (equals == std::string::npos) {
    for (const auto& [kind, of] : kOf) out.push_back(kind + "=");
    return out;
  }
  const auto kind = kOf.find(word.substr(0, equals));
  if (kind == kOf.end()) return out;
  for (const std::string& name : names(kind->second)) out.push_back(kind->first + "=" + name);
  return out;
}

/// Returns the values of an option; nothing = the option takes none, or does not exist.
std::optional<Words> values_of(const std::string& option, const std::string& word, const Names& names) {
  static const std::map<std::string, Words> kFixed = {
      {"-o", {"table", "wide", "json", "yaml"}},
      {"--output", {"table", "wide", "json", "yaml"}},
      {"--state", {"serving", "last_resort", "out", "pending"}},
      {"--for", {"10m", "1h", "never"}},
      {"--fail-on", {"advice", "warning", "error"}},
      {"--level", {"viewer", "operator", "admin"}},
  };
  static const std::set<std::string> kOfFiles = {"-f",    "--file",   "--mesh", "--ca", "--certificate",
                                                 "--key", "--folder", "--out"};
  static const std::set<std::string> kOfTargets = {"--down", "--drain", "--up"};
  static const std::set<std::string> kFree = {
      "--server", "--client", "--listener", "--reason",     "--author",   "--zone",    "--limit",       "--chunk-size",
      "-l",       "--labels", "--dns",      "--federation", "--operator", "--address", "--trust-domain"};
  if (kOfFiles.contains(option)) return kFiles;
  if (kOfTargets.contains(option)) return targets(word, names);
  if (option == "--node") return names("Node");
  if (option == "--service") return names("service");
  if (option == "--host") return names("host");
  if (kFree.contains(option)) return Words{};
  const auto found = kFixed.find(option);
  return found == kFixed.end() ? std::nullopt : std::optional(found->second);
}

/// Returns the values of a command's positional arguments.
/// given: the arguments before the word
Words positionals_of(const std::string& command, const Words& given, const std::string& word, const Names& names) {
  static const std::set<std::string> kOfHosts = {"explain", "history", "watch", "simulate"};
  static const std::set<std::string> kOfTargets = {"drain", "undrain", "unforce"};
  static const std::set<std::string> kOfFiles = {"apply", "diff", "lint", "show"};
  if (kOfFiles.contains(command)) return kFiles;
  if (kOfHosts.contains(command)) return given.empty() ? names("host") : Words{};
  if (kOfTargets.contains(command)) return targets(word, names);
  if (command == "force") return given.empty() ? Words{"up", "down"} : targets(word, names);
  if (command == "forget") return word.find('=') == std::string::npos ? Words{"node="} : targets(word, names);
  if (command == "completion") return {"bash", "zsh", "fish"};
  if (command != "get" && command != "describe" && command != "delete") return {};
  if (given.empty()) return command == "delete" ? Words{"vd", "cluster", "override"} : kKinds;
  const auto kind = kind_named(given.front());
  return kind && given.size() == 1 ? names(*kind) : Words{};
}

Words flags_of(const CLI::App& cli, const CLI::App* command) {
  Words out;
  for (const CLI::App* app : {command, &cli}) {
    if (app == nullptr) continue;
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
      for (const std::string& name : option->get_snames()) out.push_back("-" + name);
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> completion_script(const std::string& shell) {
  static const std::map<std::string, std::string> kScripts = {{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}};
  const auto found = kScripts.find(shell);
  return found == kScripts.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> completions(const CLI::App& cli, const std::vector<std::string>& words, const Names& names) {
  if (words.empty()) return {};
  const std::string& word = words.back();
  const CLI::App* command = nullptr;
  Words given;
  std::string before;  // the option whose value the word is; empty = none
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool value = !std::exchange(before, "").empty();
    if (!value && words[i].starts_with('-')) {
      if (values_of(words[i], "", [](const auto&) { return Words{}; })) before = words[i];
    } else if (!value && command == nullptr) {
      command = command_named(cli, words[i]);
      if (command == nullptr && words[i] != "help") return {};
    } else if (const CLI::App* part = value ? nullptr : command_named(*command, words[i])) {
      command = part;
    } else if (!value) {
      given.push_back(words[i]);
    }
  }
  Words all;
  if (!before.empty()) {
    all = *values_of(before, word, names);
  } else if (word.starts_with('-')) {
    all = flags_of(cli, command);
  } else if (command == nullptr) {
    all = commands_of(cli);
  } else {
    all = positionals_of(command->get_name(), given, word, names);
    std::ranges::move(parts_of(*command), std::back_inserter(all));
  }
  if (all == kFiles) return all;
  std::erase_if(all, [&](const std::string& one) { return !one.starts_with(word); });
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace meshdns::ctl
