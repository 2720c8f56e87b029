#pragma once

#include <memory>
#include <string>

namespace CLI {
class App;
class FormatterBase;
}  // namespace CLI

namespace meshdns::ctl {

/// Writes help for people: lines of at most 100 columns, and no types that say nothing.
std::shared_ptr<CLI::FormatterBase> help_formatter();

/// Adds to the help of each command its examples and the options that every command has.
void add_footers(CLI::App& cli);

/// Why a first word is no command, with the command that may be meant.
std::string unknown_command(const CLI::App& cli, const std::string& word);

}  // namespace meshdns::ctl
