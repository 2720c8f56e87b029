#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"

namespace meshdns::agent::app {

/// A file in state_dir that keeps what operators and services have said over a restart of the agent. A file that cannot
/// be written never stands in the way of the order itself: the order counts until the restart, and the log and the
/// status say that it will be forgotten then.
/// thread: the loop's
class StateFile {
 public:
  /// Reads nothing before load().
  /// path: the file and its folder need not exist
  /// what: for people: "drains"
  StateFile(std::string path, std::string what) : path_(std::move(path)), what_(std::move(what)) {}

  /// Passes the content to `take`. A file that `take` refuses is renamed to "PATH.broken", so that the next save() does
  /// not replace it. Does nothing if there is no file.
  void load(const std::function<Result<void>(const std::string&)>& take);
  /// Replaces the content durably.
  /// returns: why the content will be forgotten at a restart; empty = it is kept
  std::string save(const std::string& content);

  /// What is wrong now, for the status; empty = nothing.
  const std::string& trouble() const { return trouble_; }

 private:
  std::string path_;
  std::string what_;
  std::string trouble_;
};

}  // namespace meshdns::agent::app
