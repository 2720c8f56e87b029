#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>

namespace meshdns::probes {

/// A bus of its own: a real dbus-daemon at a socket in a folder.
class PrivateBus {
 public:
  /// Starts the daemon, and waits until it listens.
  explicit PrivateBus(std::string folder);
  ~PrivateBus() { stop(); }
  PrivateBus(const PrivateBus&) = delete;
  PrivateBus& operator=(const PrivateBus&) = delete;

  std::string address() const { return "unix:path=" + folder_ + "/bus"; }
  void start();
  void stop();

 private:
  std::string folder_;
  pid_t pid_ = -1;
};

/// A manager of units on a bus, as systemd is one, with a thread of its own: Subscribe, LoadUnit, properties, and the
/// signals of their changes to those who have subscribed.
class FakeSystemd {
 public:
  /// address: of the bus
  explicit FakeSystemd(const std::string& address);
  /// Leaves the bus.
  ~FakeSystemd();
  FakeSystemd(const FakeSystemd&) = delete;
  FakeSystemd& operator=(const FakeSystemd&) = delete;

  /// Sets the state of a unit, and tells the subscribers. A unit that was never set is not found, as in systemd.
  void set(const std::string& unit, const std::string& active, const std::string& sub);
  /// Answers to no more calls, as a manager that hangs.
  void hang();
  /// The number of calls that were answered: LoadUnit and GetAll.
  unsigned calls() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meshdns::probes
