#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/kubernetes/client.h"
#include "common/log/reminder.h"
#include "common/process/event_loop.h"
#include "dnsd/lease/lease_machine.h"

namespace meshdns::lease {

/// Campaigns for a Lease of the Kubernetes API, renews it, and gives it back. LeaseMachine has the rules; this makes
/// the requests and sets the timer.
/// thread: the loop's
class Lease {
 public:
  struct Options {
    kubernetes::Server server;
    std::string namespace_, name;
    std::string identity;  // unique to this process
    LeaseMachine::Limits limits{};
  };
  /// Each is called at most once, from the loop.
  struct Events {
    std::function<void()> acquired;
    std::function<void(const std::string& why)> lost;
  };

  /// loop, clock: must outlive the lease
  Lease(process::EventLoop& loop, const Clock& clock, Options options, Events events);
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();

  /// Begins to campaign.
  void start() { step(); }
  /// Gives the lease back if this instance has it, and calls `done` then, at the latest when the API server has not
  /// answered in time.
  void release(std::function<void()> done);

  const LeaseMachine& machine() const { return machine_; }
  /// "meshdns/meshdnsd"
  std::string text() const { return options_.namespace_ + "/" + options_.name; }
  /// The number of times that the lease was renewed.
  std::uint64_t renewals() const { return renewals_; }

 private:
  /// Does what the machine wants now.
  void step();
  void wait(std::optional<TimePoint> until);
  void send(const char* method, const std::string& path, const char* verb, const LeaseRecord* record);
  void answer(const Result<kubernetes::Answer>& answer, bool writes, const char* verb);
  void take(const kubernetes::Answer& answer, bool writes);
  void tell();
  void log_problem();

  process::EventLoop& loop_;
  const Clock& clock_;
  const Options options_;
  Events events_;
  const std::string collection_;  // the path of the namespace's leases
  LeaseMachine machine_;
  LeaseMachine::State told_ = LeaseMachine::State::Standby;
  std::string told_holder_;
  std::function<void()> released_;
  boost::json::object last_;  // the object as the API had it
  log::Reminder reminder_;
  std::uint64_t renewals_ = 0;
  std::optional<TimerId> timer_;
  kubernetes::Client client_;
  kubernetes::Call call_;  // ends before the client
};

}  // namespace meshdns::lease
