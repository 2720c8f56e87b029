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

/// The endpoints of a host in one region, zone or cluster, as far as the fence admits them: one tier, the same for
/// every client, unless the fence depends on who asks. The ladder orders places by where the client is, and has no say
/// here; standing, standby and onEmpty count as they do in topology::decide.
class Pinned {
 public:
  struct Pin {
    model::Part part;
    wire::NameBytes place;          // folded
    const model::Locality& client;  // looked at only if depends_on_client(host)
  };
  /// Both outlive this.
  Pinned(const answers::Host& host, const Pin& pin) noexcept;

  /// The fence is around what the client has of some part.
  static bool depends_on_client(const answers::Host& host) noexcept;

  /// Why nothing is answered, where that is the fence's doing; else None
  topology::Emptiness fenced() const noexcept;

  /// More than standbys serve there.
  bool serves() const noexcept { return best_.kind == topology::Standing::Serving && !best_.standby; }
  /// What is answered does not serve.
  bool last_resort() const noexcept;
  /// Seconds
  std::uint32_t ttl() const noexcept;
  /// Chooses among those that have an address of the type, as many as HostAnswer::address_limit() says.
  void choose(const HostAnswer& answer, wire::Type type, Choice& out) const noexcept;

 private:
  /// As in topology::decide: of the best standing; standbys (weight 0) only where nothing else has it
  struct Best {
    topology::Standing kind = topology::Standing::Out;
    bool standby = true;

    friend auto operator<=>(const Best&, const Best&) = default;
  };

  bool is_there(const answers::EndpointRow& row) const noexcept;
  bool is_inside(const answers::EndpointRow& row) const noexcept;
  bool answers_something() const noexcept;

  const answers::Host& host_;
  const Pin pin_;
  Best best_;
  bool in_doubt_ = false;
  bool kept_out_ = false;  // somebody who could be answered there, by the fence
};

}  // namespace meshdns::query
