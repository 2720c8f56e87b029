#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/endpoint_source.h"
#include "agent/discovery/endpoints_file.h"
#include "common/base/result.h"
#include "common/config/endpoint_lines.h"

namespace meshdns::discovery {

/// The source of endpoints that deploy scripts and schedulers register at the agent's socket.
inline constexpr std::string_view kLocalSource = "local";

/// How much can be registered.
struct RegistrationLimits {
  std::size_t entries = 10'000;
  std::size_t entry_bytes = std::size_t{64} << 10;  // of one endpoint, as the file has it
};

/// One registered endpoint.
struct Registration {
  config::EndpointLine line;
  std::optional<Discovered> found;  // nothing = this agent cannot read the line
  std::string problem;              // why it cannot, one line

  friend bool operator==(const Registration&, const Registration&) = default;
};

/// What a call has done to one endpoint.
struct RegistrationChange {
  enum class What : std::uint8_t { Registered, Changed, Unchanged, Removed };
  std::string key;  // of an entry that cannot be read "namespace/service"
  What what = What::Registered;

  friend bool operator==(const RegistrationChange&, const RegistrationChange&) = default;
};

using RegistrationChanges = std::vector<RegistrationChange>;

/// The discovery source of registrations, which are kept in a file over restarts.
///
/// How it works: the file has the form of endpoints.d, one line for each endpoint. Each change replaces the file before
/// it takes effect, so that what was answered with success is there after a crash. The source never loses what it does
/// not understand: an entry that this agent cannot read, because another version has written it, stays in the file and
/// is a problem. A file that cannot be read at all is never replaced; until somebody corrects it or moves it away,
/// nothing can be registered. Both leave the source incomplete, so the federation keeps its endpoints.
class Registrations : public EndpointSource {
 public:
  /// Names the source that lists a key already; empty = none does, besides this one.
  using Owner = std::function<std::string(const std::string& key)>;

  /// Reads nothing before load().
  /// path: of the file; it and its folder need not exist
  Registrations(std::string path, Defaults defaults, RegistrationLimits limits = {});

  /// Reads the file again.
  void load();
  /// Replaces the defaults of entries without an address.
  void set_defaults(Defaults defaults);

  /// Registers the endpoints of a file of endpoints.d: all of them or none. An endpoint with a registered key replaces
  /// that one.
  /// file:   the name that appears in problems
  /// errors: InvalidArgument: all problems of the text, one a line. AlreadyExists: another source lists a key.
  ///         ResourceExhausted: too many. Unavailable, FailedPrecondition: the own file cannot be written, or read
  Result<RegistrationChanges> put(const std::string& text, const std::string& file, const Owner& owner);
  /// Ends registrations.
  /// target: "namespace/service" or a key
  /// errors: NotFound; Unavailable, FailedPrecondition as for put()
  Result<RegistrationChanges> remove(const std::string& target, const Owner& owner);

  const std::vector<Registration>& registrations() const { return entries_; }
  /// Why the file cannot be read; empty = it can.
  const std::string& problem() const { return error_; }

  std::string_view name() const override { return kLocalSource; }
  const std::vector<Discovered>& endpoints() const override { return endpoints_; }
  SourceState state() const override;

 private:
  Result<std::vector<Registration>> read(const std::string& text) const;
  Registration entry_of(config::EndpointLine line) const;
  /// Reads a file that could not be read before.
  Result<void> recover();
  /// Writes the file, then takes the entries.
  Result<void> replace(std::vector<Registration> entries);
  void take(std::vector<Registration> entries);

  std::string path_;
  Defaults defaults_;
  RegistrationLimits limits_;
  std::vector<Registration> entries_;  // in the order of registration
  std::vector<Discovered> endpoints_;
  std::vector<std::string> doubled_;  // keys that two entries have since the node's addresses changed
  std::string error_;                 // why the file cannot be read; empty = it can
};

}  // namespace meshdns::discovery
