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

/// Answers one question of class IN from the table. One object serves one query: it keeps the client's place and the
/// scope that were found on the way.
/// source: RFC 1034 4.3.2, RFC 2308, RFC 4592, RFC 6604 (rcode at the end of a CNAME chain), RFC 8482
class Resolver {
 public:
  /// response and context: must outlive this
  /// proven: the client's address is not forged: the query came over TCP, or with a valid cookie
  Resolver(Response& response, const Context& context, bool proven) noexcept
      : response_(response), context_(context), proven_(proven) {}

  /// Writes the records, the rcode and the scope of the answer.
  void resolve() noexcept;

 private:
  /// A name that is looked up: that of the question, or the target of a CNAME.
  struct Subject {
    const wire::FoldedName& name;
    std::uint16_t owner;  // offset of the name in the message
  };
  /// The next name of a CNAME chain.
  struct NextName {
    wire::NameBytes name;  // empty = the chain ends here
    std::uint16_t owner = 0;
  };

  /// Returns whether the question's name is in one of our zones.
  bool in_zone() const noexcept;
  /// Answers one name of the chain.
  /// next: set if the name has a CNAME to follow
  Outcome answer_name(const Subject& subject, NextName& next) noexcept;
  /// Follows a CNAME chain to its end.
  /// outcome: that of the name that led to `next`
  Outcome follow(NextName next, Outcome outcome) noexcept;
  Outcome answer_node(const answers::Node& node, const Subject& subject, NextName& next) noexcept;
  /// Answers a name that the table does not have: it is below a host or a wildcard's parent, an address, or nothing.
  Outcome answer_missing(const Subject& subject, NextName& next) noexcept;
  Outcome answer_host(const answers::Host& host, const Subject& subject) noexcept;
  /// Answers a name below a host.
  /// below: the number of labels before the host's name
  Outcome answer_below_host(const answers::Host& host, const Subject& subject, std::size_t below) noexcept;
  Outcome answer_instance(const answers::Host& host, const Subject& subject, std::uint16_t row) noexcept;
  /// Answers an instance by the name that it has itself. Of several with that name: the closest one that is answered.
  Outcome answer_named(const answers::Host& host, const Subject& subject, const HostName& name) noexcept;
  Outcome answer_port(const answers::Host& host, const Subject& subject, const HostName& name) noexcept;
  /// Answers SRV, SVCB or HTTPS.
  /// port: index of Host::ports(); nothing = SRV of every port with a name
  Outcome answer_service(const answers::Host& host, const Subject& subject, std::optional<std::size_t> port) noexcept;
  /// Answers `<place>.pin._zone`, `<place>.prefer._zone` and the like.
  Outcome answer_pinned(const answers::Host& host, const Subject& subject, const HostName& name) noexcept;
  /// Answers the name of an address in a reverse zone, or a name above such names.
  Outcome answer_reverse(const Reverse& reverse, const Subject& subject) noexcept;
  Outcome answer_apex_soa(const Subject& subject) noexcept;
  Outcome answer_any(const answers::Node& node, const Subject& subject, bool apex) noexcept;
  Outcome explain(const answers::Host& host, const Subject& subject) noexcept;
  Outcome write_rrset(const answers::Rrset& rrset, std::uint16_t owner) noexcept;
  void write_name_servers_addresses(const answers::Rrset& rrset) noexcept;
  Outcome write_cname(const answers::Rrset& rrset, std::uint16_t owner, NextName& next) noexcept;
  Outcome write_hinfo(std::uint16_t owner) noexcept;

  /// Returns the answer of a host for this client's class.
  HostAnswer dynamic(const answers::Host& host, std::uint16_t owner) noexcept;
  /// Returns whether a trusted forwarder has told where its client is.
  bool asked_by_subnet() const noexcept;
  /// Returns whether the client may have explanations: the forwarder's client, if asked_by_subnet().
  bool may_explain() const noexcept;
  /// Returns the client as it takes part in draws.
  LotSeat lot_seat() const noexcept;
  /// Counts the answer, and adds the note or error that its set has.
  void note_answer(const HostAnswer& answer) noexcept;
  /// Adds the reason why the tier in use has no address of the type.
  void note_family(const HostAnswer& answer, wire::Type type) noexcept;
  void note_last_resort() noexcept;
  /// Adds the reason why a preferred place that serves has no address of the type, if other endpoints have one.
  void note_preferred(const answers::Host& host, wire::Type type) noexcept;
  /// Returns where the client is, if the host's fence depends on that; the answer's scope is the client's range then.
  const model::Locality& fence_seat(const answers::Host& host) noexcept;
  /// Returns where the client is. Looked up once, when it is needed first.
  const answers::Located& located() noexcept;
  /// Writes SOA, rcode and scope as the end of the chain demands.
  void conclude(Outcome outcome) noexcept;
  void write_negative_soa(std::uint32_t most_ttl) noexcept;
  wire::SoaFields soa_of(const answers::Zone& zone) const noexcept;
  void widen_scope(std::uint8_t scope) noexcept { scope_ = scope > scope_ ? scope : scope_; }

  Response& response_;
  const Context& context_;
  const bool proven_;
  const answers::Zone* zone_ = nullptr;  // zone of the name that was looked up last
  std::optional<answers::Located> located_;
  std::uint8_t scope_ = 0;  // the longest scope used so far
  bool refused_ = false;    // the client may not ask for explanations
};

}  // namespace meshdns::query
