#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/registrations.h"
#include "agent/discovery/static_source.h"
#include "agent/report/messages.h"

namespace meshdns::agent::app {

/// The sources of this node's endpoints except pods, joined into one list.
///
/// How it works: the sources have an order: endpoints.d, registrations, then the others as they were added. Of several
/// endpoints with one key, the first source has it. For the other sources that is a problem, which the log and the
/// status name; their endpoint comes back when the first source lists it no longer.
/// thread: the loop's
class Sources {
 public:
  /// Reads nothing before load() and refresh().
  /// directory:     of endpoints.d
  /// registrations: path of the file
  Sources(const std::string& directory, const std::string& registrations, discovery::Defaults defaults);

  /// Adds a source behind the others.
  void add(std::unique_ptr<discovery::EndpointSource> source);
  /// Reads the registrations again.
  void load() { local_.load(); }
  /// Reads the files that changed. Call it every second.
  /// returns: whether gather() is needed
  bool refresh() { return files_->refresh(); }
  /// Replaces the defaults of all endpoints without an address.
  void set_defaults(const discovery::Defaults& defaults);
  /// Replaces endpoints.d by another folder.
  /// errors: the folder cannot be read, so that all endpoints of the old one would be withdrawn; it stays
  Result<void> move_files(const std::string& directory);

  /// Joins the lists again. Logs problems of the sources that begin and end, except those of endpoints.d, which logs
  /// its own.
  void gather();
  /// The endpoints as gather() has joined them, each key once.
  const std::vector<discovery::Discovered>& endpoints() const { return endpoints_; }

  /// Returns the name of the source that has an endpoint.
  /// target:  a key, or "namespace/service"
  /// returns: empty = no source has it, or only registrations
  std::string owner_besides_local(const std::string& target) const;

  const discovery::StaticSource& files() const { return *files_; }
  discovery::Registrations& local() { return local_; }
  const discovery::Registrations& local() const { return local_; }

  /// Returns the state of each source with all its problems; for people on this node.
  std::vector<report::SourceState> states() const;
  /// Returns the states as they are reported to the federation: only what is not read.
  std::vector<report::SourceState> told() const;
  /// Returns "eu1-n1 does not read endpoints.d: app-b.yaml:7:5: ... (and 2 more)"; empty = everything is read.
  std::string unread_text(const std::string& node) const;
  /// Returns the number of problems of each source, by name.
  std::map<std::string, std::size_t> problem_counts() const;

 private:
  report::SourceState state_of(const discovery::EndpointSource& source) const;
  void log_problems();

  discovery::Defaults defaults_;
  std::unique_ptr<discovery::StaticSource> files_;
  discovery::Registrations local_;
  std::vector<std::unique_ptr<discovery::EndpointSource>> others_;

  std::vector<discovery::Discovered> endpoints_;
  std::map<std::string, std::string, std::less<>> owners_;  // by key, the name of the source that has it
  std::map<std::string, std::vector<std::string>>
      left_out_;  // problems by the name of a source: keys that an earlier one has
  std::map<std::string, std::vector<std::string>> logged_;  // the problems that the log has named, likewise
};

}  // namespace meshdns::agent::app
