#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/process/event_loop.h"

namespace meshdns::probes {

/// What systemd says of a unit.
struct UnitState {
  std::string load;    // LoadState: loaded, not-found, masked, ...
  std::string active;  // ActiveState: active, activating, failed, ...
  std::string sub;     // SubState: running, auto-restart, dead, ...

  friend bool operator==(const UnitState&, const UnitState&) = default;
};

/// What is known of a unit now.
struct KnownUnit {
  std::optional<UnitState> state;
  std::string problem;  // why there is no state; empty = systemd was asked and has not answered yet

  friend bool operator==(const KnownUnit&, const KnownUnit&) = default;
};

/// Follows the states of systemd's units by D-Bus signals, over one connection for all units of an agent.
///
/// How it works: the first unit that is followed opens the connection. The manager is told to send signals (Subscribe),
/// and for each unit
///
///   LoadUnit ---> the path of the unit's object, also for a unit by its second name
///   AddMatch ---> the signals PropertiesChanged of this path
///   GetAll -----> the state now
///
/// The bus keeps the order of messages, so no change is lost between the last two. From then on nothing is asked: a
/// state changes when its signal comes. If the connection breaks, or the manager leaves the bus, all states are unknown
/// until the same was done again; connections are tried with growing pauses. If nothing has been answered after
/// `patience`, the connection counts as broken.
///
/// thread: the loop's
class UnitStates {
 public:
  struct Options {
    std::string address;  // D-Bus address; empty = the system's bus, or $DBUS_SYSTEM_BUS_ADDRESS
    Duration first_pause = 100ms;
    Duration longest_pause = 5s;
    Duration patience = 10s;
  };
  using FollowerId = std::uint64_t;

  /// `loop` must outlive this.
  explicit UnitStates(process::EventLoop& loop, Options options);
  explicit UnitStates(process::EventLoop& loop) : UnitStates(loop, Options{}) {}
  ~UnitStates();
  UnitStates(const UnitStates&) = delete;
  UnitStates& operator=(const UnitStates&) = delete;

  /// Follows a unit.
  /// changed: called from the loop after each change of known(), until unfollow()
  FollowerId follow(const std::string& unit, std::function<void()> changed);
  void unfollow(FollowerId id);
  /// requires: the unit is followed
  const KnownUnit& known(const std::string& unit) const;
  /// The number of units that are followed.
  std::size_t units() const;
  /// Why there is no connection; empty = there is one, or nothing is followed.
  const std::string& problem() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
