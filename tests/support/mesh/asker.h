#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "dnsd/query/answer.h"
#include "tests/support/dns/record.h"
#include "tests/support/dns/reply.h"
#include "tests/support/dns/request.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::test {

/// Asks one answer table without sockets. Each reply is read by ldns; the test aborts if ldns cannot read it.
struct Asker {
  explicit Asker(std::shared_ptr<const answers::AnswerTable> from, const std::string& asked_by = "192.0.2.1")
      : table(std::move(from)), client(must(IpAddress::parse(asked_by))) {}

  /// Returns the bytes of the reply; empty = the query was dropped.
  Bytes raw(const Bytes& request) {
    record_packet(request);
    Bytes buffer(65535);
    std::ranges::copy(request, buffer.begin());
    const query::Context context{.table = *table,
                                 .client = client,
                                 .stream = stream,
                                 .now = TimePoint{1h},
                                 .random = random,
                                 .counters = counters,
                                 .policy = policy,
                                 .limiter = limiter,
                                 .unix_seconds = unix_seconds,
                                 .keepalive = keepalive};
    buffer.resize(query::answer(buffer.data(), request.size(), buffer.size(), context));
    return buffer;
  }
  Reply ask(const Request& request) { return must(parse_reply(raw(request.bytes()))); }
  Reply ask(const std::string& name, wire::Type type) { return ask(Request{.name = name, .type = type}); }
  /// Like ask(), with EDNS.
  Reply ask_edns(const std::string& name, wire::Type type, const EdnsRequest& edns = {}) {
    return ask(Request{.name = name, .type = type, .edns = edns});
  }

  query::Totals totals() const {
    query::Totals sum;
    query::merge(sum, counters);
    return sum;
  }

  std::shared_ptr<const answers::AnswerTable> table;
  IpAddress client;
  bool stream = false;
  query::Policy policy;
  query::RateLimiter* limiter = nullptr;
  std::uint32_t unix_seconds = 0;
  std::uint16_t keepalive = 0;
  query::Random random{1};
  query::Counters counters;
};

}  // namespace meshdns::test
