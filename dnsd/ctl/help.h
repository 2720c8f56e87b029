#pragma once

#include <memory>
#include <string>

namespace CLI {
class App;
class FormatterBase;
}  // namespace CLI

namespace meshdns::ctl {

/// Returns the formatter of help texts: lines of at most 100 columns, without types that say nothing.
std::shared_ptr<CLI::FormatterBase> help_formatter();

/// Adds to the help of each command, and of its parts, the examples and the options that every command has.
void add_footers(CLI::App& cli);

/// Returns the message for a first word that is no command, with the command that may be meant.
std::string unknown_command(const CLI::App& cli, const std::string& word);

}  // namespace meshdns::ctl
