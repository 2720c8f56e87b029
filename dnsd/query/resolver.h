#pragma once

#include <cstdint>
#include <optional>

#include "dnsd/query/answer.h"
#include "dnsd/query/host_answer.h"
#include "dnsd/query/host_name.h"
#include "dnsd/query/response.h"
#include "dnsd/query/reverse.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {

/// Answers one readable question of class IN from the table.
/// source: RFC 1034 4.3.2, RFC 2308, RFC 4592, RFC 6604 (rcode at the end of a CNAME chain), RFC 8482
class Resolver {
 public:
  /// proven: the client gets what is sent to its address: TCP, or a valid cookie
  Resolver(Response& response, const Context& context, bool proven) noexcept
      : response_(response), context_(context), proven_(proven) {}

  void resolve() noexcept;

 private:
  /// A name on the way: the question, or the target of a CNAME.
  struct Subject {
    const wire::FoldedName& name;
    std::uint16_t owner;  // where it stands in the message
  };
  /// The next link of a chain
  struct Target {
    wire::NameBytes name;  // empty = the chain ends here
    std::uint16_t owner = 0;
  };

  /// The question's name is in one of our zones.
  bool in_zone() const noexcept;
  Outcome answer_name(const Subject& subject, Target& next) noexcept;
  /// The rest of a CNAME chain.
  /// outcome: of the link that led to `next`
  Outcome follow(Target next, Outcome outcome) noexcept;
  Outcome answer_node(const answers::Node& node, const Subject& subject, Target& next) noexcept;
  /// No node of this name: below a host, below a wildcard's parent, or nowhere.
  Outcome answer_missing(const Subject& subject, Target& next) noexcept;
  Outcome answer_host(const answers::Host& host, const Subject& subject) noexcept;
  /// `below` labels before the host's name
  Outcome answer_below_host(const answers::Host& host, const Subject& subject, std::size_t below) noexcept;
  Outcome answer_port(const answers::Host& host, const Subject& subject, const HostName& name) noexcept;
  /// SRV, SVCB or HTTPS. port: index of Host::ports(); nothing = SRV of every port with a name
  Outcome answer_service(const answers::Host& host, const Subject& subject, std::optional<std::size_t> port) noexcept;
  /// `<place>.pin._zone`, `<place>.prefer._zone` and the like
  Outcome answer_pinned(const answers::Host& host, const Subject& subject, const HostName& name) noexcept;
  /// The name of an address, or one above such names
  Outcome answer_reverse(const Reverse& reverse, const Subject& subject) noexcept;
  Outcome answer_apex_soa(const Subject& subject) noexcept;
  Outcome answer_any(const answers::Node& node, const Subject& subject, bool apex) noexcept;
  Outcome explain(const answers::Host& host, const Subject& subject) noexcept;
  Outcome write_rrset(const answers::Rrset& rrset, std::uint16_t owner) noexcept;
  void write_name_servers_addresses(const answers::Rrset& rrset) noexcept;
  Outcome write_cname(const answers::Rrset& rrset, std::uint16_t owner, Target& next) noexcept;
  Outcome write_hinfo(std::uint16_t owner) noexcept;

  HostAnswer dynamic(const answers::Host& host, std::uint16_t owner) noexcept;
  LotSeat lot_seat() const noexcept;
  void note_answer(const HostAnswer& answer) noexcept;
  /// Says why the tier in use has no address of the type.
  void note_family(const HostAnswer& answer, wire::Type type) noexcept;
  void note_last_resort() noexcept;
  /// Says why a preferred place that serves has no address of the type, though other endpoints may have one.
  void note_preferred(const answers::Host& host, wire::Type type) noexcept;
  /// Where the client is, if the host's fence depends on that: then the scope is the client's.
  const model::Locality& fence_seat(const answers::Host& host) noexcept;
  const answers::Located& located() noexcept;
  /// SOA, rcode and scope as the end of the chain demands
  void conclude(Outcome outcome) noexcept;
  void write_negative_soa(std::uint32_t most_ttl) noexcept;
  wire::SoaFields soa_of(const answers::Zone& zone) const noexcept;
  void widen_scope(std::uint8_t scope) noexcept { scope_ = scope > scope_ ? scope : scope_; }

  Response& response_;
  const Context& context_;
  const bool proven_;
  const answers::Zone* zone_ = nullptr;  // of the name that was looked at last
  std::optional<answers::Located> located_;
  std::uint8_t scope_ = 0;  // the longest used so far
  bool refused_ = false;
};

}  // namespace meshdns::query
