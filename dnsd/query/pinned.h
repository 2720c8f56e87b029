#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "common/model/locality.h"
#include "dnsd/answers/explain.h"
#include "dnsd/answers/host.h"
#include "dnsd/query/choice.h"
#include "dnsd/query/host_answer.h"
#include "dnsd/wire/types.h"

namespace meshdns::query {

/// Chooses among the endpoints of a host in one region, zone or cluster, as far as the fence admits them and the client
/// sees them. They are one tier, the same for every client, unless the fence or an export depends on the client. The
/// ladder does not count here, because it orders places by where the client is; standing, standby and onEmpty count as
/// in topology::decide.
class Pinned {
 public:
  /// The place that the name asks for.
  struct Pin {
    model::Part part;
    wire::NameBytes place;          // folded
    const model::Locality& client;  // used only if depends_on_client(host)
  };
  /// Both must outlive this.
  Pinned(const answers::Host& host, const Pin& pin) noexcept;

  /// Returns whether the fence is around a part of the client's locality, or some endpoint is not exported.
  static bool depends_on_client(const answers::Host& host) noexcept;

  /// Returns why fence and exports leave nothing to answer; None = they are not the reason.
  topology::Emptiness kept_out() const noexcept;

  /// Returns whether an endpoint other than a standby serves there.
  bool serves() const noexcept { return best_.kind == topology::Standing::Serving && !best_.standby; }
  /// Returns whether what is answered does not serve.
  bool last_resort() const noexcept;
  /// Returns the TTL in seconds.
  std::uint32_t ttl() const noexcept;
  /// Chooses among the endpoints with an address of the type, at most HostAnswer::address_limit() of them.
  void choose(const HostAnswer& answer, wire::Type type, ChosenRows& out) const noexcept;

 private:
  /// The endpoints that are answered, as in topology::decide: those of the best standing; standbys (weight 0) only
  /// where no other endpoint has it.
  struct Best {
    topology::Standing kind = topology::Standing::Out;
    bool standby = true;

    friend auto operator<=>(const Best&, const Best&) = default;
  };

  bool is_there(const answers::EndpointRow& row) const noexcept;
  bool is_inside(const answers::EndpointRow& row) const noexcept;
  bool is_seen(const answers::EndpointRow& row) const noexcept { return host_.is_seen(pin_.client, row); }
  bool answers_something() const noexcept;

  const answers::Host& host_;
  const Pin pin_;
  Best best_;
  bool in_doubt_ = false;
  bool hidden_ = false;  // an endpoint that could be answered there is not exported to the client
  bool fenced_ = false;  // the fence excludes an endpoint that could be answered there
};

}  // namespace meshdns::query
