#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/rpc/tls_files.h"

// The servers at which this user has logged in. They lie in ~/.config/meshdns (or $XDG_CONFIG_HOME/meshdns): a folder
// for each context, with the server's address and the operator's key and certificate, and the name of the current one.
namespace meshdns::ctl {

/// A server, and who the user is there.
struct Context {
  std::string name;    // "eu-1"
  std::string server;  // "10.0.9.1:7400"
  rpc::TlsFiles files;
};

/// Returns the files and the name of a context that may not exist yet.
/// errors: InvalidArgument: the name cannot be that of a context
Result<Context> context_named(const std::string& name, const std::string& server);

/// Returns all contexts, by name.
std::vector<Context> contexts();
/// Returns the current context; nothing = there is none.
std::optional<Context> current_context();

/// Stores a context's server. Its other files are written already.
/// errors: Unavailable: a file cannot be written
Result<void> keep_context(const Context& context);
/// Makes a context the current one.
/// errors: NotFound, with the contexts that there are; Unavailable: a file cannot be written
Result<void> use_context(const std::string& name);

}  // namespace meshdns::ctl
