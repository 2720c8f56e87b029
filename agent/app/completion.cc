#include "agent/app/completion.h"

#include <algorithm>
#include <map>
#include <optional>

namespace meshdns::agent::app {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kBash = R"(_meshdns_agent() {
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
}
complete -F _meshdns_agent meshdns-agent
)";

const Words kFiles = {":files"};

/// What a command takes: its options, and whether its first argument is a service or an endpoint.
struct Command {
  Words options;
  bool target = false;
};

const std::map<std::string, Command>& commands() {
  static const std::map<std::string, Command> kCommands = {
      {"register", {{"--file", "--output"}}},
      {"deregister", {{"--output"}, true}},
      {"list", {{"--output"}}},
      {"push", {{"--detail", "--output"}, true}},
      {"drain", {{"--service", "--for", "--reason", "--output"}}},
      {"undrain", {{"--service", "--output"}}},
      {"status", {{"--output"}}},
      {"check", {{"--output"}, true}},
      {"completion", {}},
      {"leave", {}},
  };
  return kCommands;
}

/// Returns the values of an option; nothing = it takes none.
std::optional<Words> values_of(const std::string& option, const std::function<Words()>& names) {
  if (option == "-f" || option == "--file" || option == "--config" || option == "--socket") return kFiles;
  if (option == "-o" || option == "--output") return Words{"json", "table"};
  if (option == "--for") return Words{"10m", "1h", "1d"};
  if (option == "--log-level") return Words{"debug", "error", "info", "warn"};
  if (option == "--detail" || option == "--reason") return Words{};
  if (option == "--service") return names();
  return std::nullopt;
}

Words arguments_of(const std::string& command, std::size_t given, const std::function<Words()>& names) {
  if (command == "completion" && given == 0) return {"bash"};
  if (command == "push" && given == 1) return {"down", "up", "warn"};
  return given == 0 && commands().at(command).target ? names() : Words{};
}

Words options_of(const std::string& command) {
  if (command.empty()) return {"--check-config", "--config", "--dev", "--help", "--log-level", "--once", "--version"};
  Words out = commands().at(command).options;
  out.insert(out.end(), {"--config", "--help"});
  if (command != "leave") out.emplace_back("--socket");
  return out;
}

}  // namespace

std::string completion_script() { return kBash; }

std::vector<std::string> completions(const Words& words, const std::function<Words()>& names) {
  if (words.empty()) return {};
  std::string command;
  std::string option;  // whose value the word is; empty = none
  std::size_t given = 0;
  const auto none = [] { return Words{}; };
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool is_value = !option.empty();
    option.clear();
    if (is_value) continue;
    if (words[i].starts_with('-')) {
      if (values_of(words[i], none)) option = words[i];
    } else if (command.empty()) {
      if (!commands().contains(words[i])) return {};
      command = words[i];
    } else {
      ++given;
    }
  }
  Words out;
  if (!option.empty()) {
    out = *values_of(option, names);
  } else if (words.back().starts_with('-')) {
    out = options_of(command);
  } else if (command.empty()) {
    for (const auto& [name, takes] : commands()) out.push_back(name);
  } else {
    out = arguments_of(command, given, names);
  }
  if (out == kFiles) return out;
  std::erase_if(out, [&](const std::string& one) { return !one.starts_with(words.back()); });
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace meshdns::agent::app
