#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "common/model/locality.h"
#include "dnsd/answers/host.h"
#include "dnsd/query/choice.h"
#include "dnsd/query/random.h"
#include "dnsd/wire/types.h"

namespace meshdns::query {

/// The endpoints of a host in one region, zone or cluster: one tier, the same for every client. The ladder orders
/// places by where the client is, and has no say here; standing, standby and onEmpty count as they do in
/// topology::decide.
class Pinned {
 public:
  /// place: folded; it outlives this
  Pinned(const answers::Host& host, model::Part part, wire::NameBytes place) noexcept;

  /// More than standbys serve there.
  bool serves() const noexcept { return best_.kind == topology::Standing::Serving && !best_.standby; }
  /// What is answered does not serve.
  bool last_resort() const noexcept;
  /// Seconds
  std::uint32_t ttl() const noexcept;
  /// Draws among those that have an address of the type, at most Host::max_answers. Of more than Choice::kMost, all
  /// have the same chance to take part in the draw.
  void choose(wire::Type type, Random& random, Choice& out) const noexcept;

 private:
  /// As in topology::decide: of the best standing; standbys (weight 0) only where nothing else has it
  struct Best {
    topology::Standing kind = topology::Standing::Out;
    bool standby = true;

    friend auto operator<=>(const Best&, const Best&) = default;
  };

  bool is_there(const answers::EndpointRow& row) const noexcept;
  bool answers_something() const noexcept;

  const answers::Host& host_;
  model::Part part_;
  wire::NameBytes place_;
  Best best_;
  bool in_doubt_ = false;
};

}  // namespace meshdns::query
