#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "common/time/time.h"
#include "dnsd/app/configuration.h"
#include "dnsd/app/descriptor_budget.h"
#include "dnsd/app/rate_limit_watch.h"
#include "dnsd/app/role.h"
#include "dnsd/dnstap/sender.h"
#include "dnsd/publish/publisher.h"
#include "dnsd/server/dns_server.h"
#include "dnsd/server/stall_watch.h"

namespace meshdns::dnsd::app {

/// The role of every meshdnsd: serves DNS from the published answer table. Owns the server with its sockets and
/// workers, dnstap, the policy, the watch over rate limits, and the pulse that shows the workers that the control
/// thread runs.
///
/// The order of start and end
///
///   start():    sockets and workers -> the publisher learns the ports that the system chose for port 0 -> pulse and
///               watch, once a second from then on -> dnstap, which the watch tries again until a receiver takes the
///               connection
///   withdraw(): the watch -> the workers -> dnstap, which reads what the workers have left -> the sockets
///   end():      the workers; the rest ends with the object
///
/// After withdraw(), start() may be called again.
/// thread: control, except end()
class DnsService : public Role {
 public:
  /// All references must outlive the service.
  struct Environment {
    Timers& timers;
    const Clock& clock;
    const Configuration& configuration;
    const DescriptorBudget& budget;
    publish::Publisher& publisher;
    std::vector<int> passed = {};  // descriptors of sockets that the service manager has opened
  };

  explicit DnsService(Environment environment);
  ~DnsService() override;

  /// requires: a table is published, or few hosts wait to be published
  /// errors: the first address that cannot be bound; ResourceExhausted: the system may have room later
  Result<void> start();
  /// Ends DNS while the process goes on.
  /// requires: serves()
  void withdraw();
  void reload() override;
  void end() override;

  /// Adds trusted forwarders to those of the configuration, instead of the ones of the last call.
  void add_forwarders(std::vector<answers::ForwarderSettings> forwarders);

  bool serves() const { return server_ != nullptr; }
  /// Whether the service manager holds one of the addresses, so that nobody else would answer its queries.
  bool has_passed_address() const;
  /// The server for captures; null = DNS is not served.
  const server::DnsServer* server() const { return server_.get(); }
  /// Whether all DNS threads make progress; logs when they stop or continue to do so. Called now and then.
  bool alive();

  void write(v1::StatusReply& out) const override;
  void collect(std::vector<metrics::Sample>& out) const override;

 private:
  /// Returns the configured policy, completed by the host's name as NSID and a cookie secret of this process.
  query::Policy policy() const;
  /// Returns the settings with the port that the system chose in the place of port 0.
  answers::AnswerSettings settings_as_bound() const;
  void tell_of_listeners(std::size_t workers) const;
  /// Connects to the receiver of dnstap messages, if one is configured.
  void start_dnstap();
  /// Shows the DNS threads that the control thread runs. Without the pulse they answer as stale.
  void beat_pulse();
  /// Schedules the next look at pulse, dnstap and rate limits.
  void watch();
  void watch_rate_limit();

  Environment env_;
  const wire::CookieSecret own_secret_;
  std::vector<answers::ForwarderSettings> more_forwarders_;  // besides those of the configuration
  std::unique_ptr<server::DnsServer> server_;
  std::unique_ptr<dnstap::Sender> dnstap_;  // declared after server_, whose tap it reads
  bool dnstap_failed_ = false;              // the failure to connect is logged
  std::optional<TimerId> watch_timer_;
  std::optional<TimePoint> beaten_;  // the last pulse
  RateLimitWatch rate_limit_watch_;
  server::StallWatch stall_watch_;
  bool stalled_ = false;
};

}  // namespace meshdns::dnsd::app
