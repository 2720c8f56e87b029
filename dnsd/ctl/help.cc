#include "dnsd/ctl/help.h"

#include <CLI/CLI.hpp>
#include <map>
#include <vector>

#include "common/base/hint.h"
#include "common/base/text.h"
#include "dnsd/ctl/flowed.h"

namespace meshdns::ctl {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kIndent = 30;  // column of the descriptions

/// Returns "  name      description", with the description wrapped at words.
std::string row(const std::string& name, const std::string& description) {
  std::string out = "  " + name;
  if (description.empty()) return out + "\n";
  out += out.size() + 2 > kIndent ? "\n" + std::string(kIndent, ' ') : std::string(kIndent - out.size(), ' ');
  return out + flowed(split(description, ' '), " ", {kIndent, kColumns}) + "\n";
}

/// Returns the type to show: "FILE", or the words in "TEXT:{up,down}"; nothing for types that say nothing, and for
/// bounds.
std::string shown_type(const std::string& type) {
  const auto colon = type.find(':');
  const std::string base = type.substr(0, colon);
  const std::string allowed = colon == std::string::npos ? "" : type.substr(colon + 1);
  if (allowed.starts_with('{')) return allowed;
  return base == "TEXT" || base == "UINT" ? "" : base;
}

class Formatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool positional) const override {
    return row(make_option_name(option, positional) + make_option_opts(option), make_option_desc(option));
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string out;
    const std::string type = shown_type(option->get_type_name());
    if (option->get_type_size() != 0 && !type.empty()) out += " " + type;
    if (!option->get_default_str().empty()) out += " (default " + option->get_default_str() + ")";
    return out;
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return row(command->get_display_name(), command->get_description());
  }
};

const std::map<std::string, std::vector<std::string>>& examples() {
  static const std::map<std::string, std::vector<std::string>> kExamples = {
      {"apply",
       {"meshdnsctl apply web.yaml", "meshdnsctl apply -f objects/ --dry-run",
        "kustomize build | meshdnsctl apply -f -"}},
      {"diff", {"meshdnsctl diff objects/"}},
      {"delete", {"meshdnsctl delete vd shop/web", "meshdnsctl delete -f web.yaml --ignore-not-found"}},
      {"get",
       {"meshdnsctl get vd", "meshdnsctl get endpoints --service shop/web --state last_resort",
        "meshdnsctl get nodes -o wide", "meshdnsctl get endpoints 10.0.0.11"}},
      {"describe", {"meshdnsctl describe vd shop/web", "meshdnsctl describe endpoint 10.0.0.11:8080"}},
      {"explain", {"meshdnsctl explain web.mesh.internal --client 10.0.0.9"}},
      {"status", {"meshdnsctl status", "meshdnsctl status --check || page-somebody"}},
      {"drain",
       {"meshdnsctl drain node=eu1-n1 --for 1h --reason 'new kernel'",
        "meshdnsctl drain zone=eu-a --for never --reason 'being moved'"}},
      {"undrain", {"meshdnsctl undrain node=eu1-n1"}},
      {"force", {"meshdnsctl force down endpoint=10.0.0.11:8080 --for 30m --reason 'answers wrongly'"}},
      {"unforce", {"meshdnsctl unforce endpoint=10.0.0.11:8080"}},
      {"freeze", {"meshdnsctl freeze --for 30m --reason 'incident 42'"}},
      {"forget", {"meshdnsctl forget node=eu-1/n7"}},
      {"capture", {"meshdnsctl capture --host web.mesh.internal --client 10.0.0.0/24 --for 10s"}},
      {"simulate",
       {"meshdnsctl simulate --down cluster=eu-1", "meshdnsctl simulate web.mesh.internal --drain node=n1"}},
      {"history", {"meshdnsctl history web.mesh.internal", "meshdnsctl history --changes -o json"}},
      {"watch", {"meshdnsctl watch", "meshdnsctl watch web.mesh.internal -o json"}},
      {"ca", {"meshdnsctl ca init", "meshdnsctl ca issue --node eu-1/n7", "meshdnsctl ca show n7.pem"}},
      {"ca init", {"meshdnsctl ca init --trust-domain mesh.internal"}},
      {"ca issue",
       {"meshdnsctl ca issue --federation eu-1/fed --address fed.eu-1.example --address 10.0.9.1",
        "meshdnsctl ca issue --node eu-1/n7", "meshdnsctl ca issue --operator alice --level admin --for 30d"}},
      {"ca show", {"meshdnsctl ca show", "meshdnsctl ca show n7.pem"}},
      {"ca rotate", {"meshdnsctl ca rotate", "meshdnsctl ca rotate --finish"}},
      {"lint", {"meshdnsctl lint", "meshdnsctl lint -f web.yaml"}},
      {"token",
       {"meshdnsctl token create --node eu-1/n7 > join.token", "meshdnsctl token create --nodes 'web-*' --uses 20",
        "meshdnsctl token list", "meshdnsctl token revoke 6f1e0c2a9b7d4e53"}},
      {"login", {"meshdnsctl login --server 10.0.9.1:7400 --name alice --token-file alice.token"}},
      {"context", {"meshdnsctl context list", "meshdnsctl context use eu-1"}},
      {"completion", {"source <(meshdnsctl completion bash)", "meshdnsctl completion fish | source"}},
  };
  return kExamples;
}

/// Returns the help of the options that every command takes.
std::string global_options(const CLI::App& cli) {
  std::string out = "Options of every command:\n";
  const Formatter formatter;
  for (const CLI::Option* option : cli.get_options()) {
    if (option->check_lname("help") || option->check_lname("version")) continue;
    out += formatter.make_option(option, false);
  }
  return out;
}

/// Adds the footers of an app's commands, and of their parts.
/// before: the words that lead to the commands: "ca "
void add_footers_of(CLI::App& app, const std::string& before, const std::string& global) {
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string name = before + command->get_name();
    std::string footer = global;
    if (const auto found = examples().find(name); found != examples().end()) {
      footer += "\nExamples:\n";
      for (const std::string& example : found->second) footer += "  " + example + "\n";
    }
    footer.pop_back();  // the formatter adds the last newline
    command->footer(footer);
    add_footers_of(*command, name + " ", global);
  }
}

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter() { return std::make_shared<Formatter>(); }

void add_footers(CLI::App& cli) { add_footers_of(cli, "", global_options(cli)); }

std::string unknown_command(const CLI::App& cli, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : cli.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  const auto guess = did_you_mean(word, names);
  return "unknown command \"" + word + "\"" + (guess ? hint(guess, "\"\"") : "; meshdnsctl --help lists all");
}

}  // namespace meshdns::ctl
