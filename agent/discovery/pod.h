#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/net/ip_address.h"
#include "common/time/time.h"

namespace meshdns::discovery {

/// The part of a Kubernetes Pod that decides which endpoint it is, and how healthy.
struct Pod {
  enum class Phase : std::uint8_t { Unknown, Pending, Running, Succeeded, Failed };

  /// The condition Ready. The kubelet's probes and the readiness gates are in it.
  struct Ready {
    bool yes = false;
    std::string why;         // of no, for people; may be empty
    std::int64_t since = 0;  // lastTransitionTime, in seconds since 1970; 0 = there is no such condition yet

    friend bool operator==(const Ready&, const Ready&) = default;
  };

  /// A container that has to run while the pod serves: one of `containers`, or an init container that restarts always
  /// (a sidecar).
  struct Container {
    std::string id;  // of its latest run: "containerd://f00..."; empty = none was made yet
    std::uint64_t restarts = 0;
    bool running = false;

    friend bool operator==(const Container&, const Container&) = default;
  };

  std::string uid;  // never used again, unlike the name and the addresses
  std::string namespace_;
  std::string name;
  std::string node;
  /// When the kubelet took the pod (status.startTime), before it gave the pod its addresses, in seconds since 1970;
  /// 0 = not yet.
  std::int64_t started = 0;
  model::Labels labels;
  std::map<std::string, std::string> annotations;  // those of meshdns.io, without that prefix: "weight"
  std::vector<IpAddress> addresses;                // status.podIPs, in its order
  model::Ports ports;  // TCP and UDP ports of the containers, as declared: names may be empty, or used twice
  Phase phase = Phase::Unknown;
  Ready ready;
  std::map<std::string, Container> containers;  // by name; without those of which nothing was reported yet
  bool host_network = false;
  std::optional<std::int64_t> deletion;  // deletionTimestamp, in seconds since 1970; nothing = the pod stays
  Duration grace{};                      // deletionGracePeriodSeconds

  /// Whether the pod has ended for good: a finished or evicted pod may stay listed for days, with its addresses.
  bool has_ended() const { return phase == Phase::Succeeded || phase == Phase::Failed; }
  /// Returns "namespace/name".
  std::string title() const { return namespace_ + "/" + name; }

  friend bool operator==(const Pod&, const Pod&) = default;
};

/// Reads a Pod object of the Kubernetes API. Members that are missing or null are empty.
/// errors: InvalidArgument: a member has another type or form than expected, or the pod has no uid, namespace or name
Result<Pod> read_pod(const boost::json::object& object);

/// Returns the uid of any object of the API; empty = it has none.
std::string uid_of(const boost::json::object& object);

}  // namespace meshdns::discovery
