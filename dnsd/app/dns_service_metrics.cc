#include <array>
#include <limits>
#include <string>
#include <utility>

#include "common/metrics/samples.h"
#include "dnsd/app/capture_session.h"
#include "dnsd/app/dns_service.h"

// The metrics of DnsService.

namespace meshdns::dnsd::app {
namespace {

using metrics::count;
using metrics::gauge;
using metrics::Sample;
using Samples = std::vector<Sample>;

constexpr std::array kDropNames = {"too_short", "response", "rate_limited"};
constexpr std::array kTypeNames = {"A", "AAAA", "SRV", "TXT", "SOA", "NS", "PTR", "ANY", "SVCB", "HTTPS", "other"};
static_assert(kTypeNames.size() == query::kCountedTypes);
constexpr std::array kSourceNames = {"listener", "client_subnet", "forwarder", "prefix", "server", "nowhere"};
constexpr std::array kCookieNames = {"client_only", "wrong", "valid"};

void add_queries(Samples& out, const std::string& transport, const query::Totals& totals) {
  count(out, "meshdns_dns_received_packets_total", "DNS messages received", {{"transport", transport}},
        totals.received);
  for (std::size_t i = 0; i < kDropNames.size(); ++i) {
    count(out, "meshdns_dns_dropped_packets_total", "DNS messages left without an answer",
          {{"transport", transport}, {"reason", kDropNames[i]}}, totals.dropped[i]);
  }
  for (std::size_t i = 0; i < totals.by_rcode.size(); ++i) {
    if (totals.by_rcode[i] == 0 && i != 0) continue;
    count(out, "meshdns_dns_answers_total", "answers by RCODE",
          {{"transport", transport}, {"rcode", rcode_text(static_cast<std::uint8_t>(i))}}, totals.by_rcode[i]);
  }
  count(out, "meshdns_dns_refused_explanations_total", "queries for _explain from outside dns.explain_allow",
        {{"transport", transport}}, totals.unexplained);
  for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
    count(out, "meshdns_dns_questions_total", "questions by type", {{"transport", transport}, {"type", kTypeNames[i]}},
          totals.by_type[i]);
  }
  for (std::size_t i = 0; i < kSourceNames.size(); ++i) {
    count(out, "meshdns_dns_located_clients_total", "how the client's place was found; nowhere = it was not",
          {{"transport", transport}, {"source", kSourceNames[i]}}, totals.by_source[i]);
  }
  for (std::size_t i = 0; i < kCookieNames.size(); ++i) {
    count(out, "meshdns_dns_cookies_total", "cookies of requests",
          {{"transport", transport}, {"state", kCookieNames[i]}}, totals.by_cookie[i]);
  }
  count(out, "meshdns_dns_denied_queries_total", "queries from outside dns.allow", {{"transport", transport}},
        totals.denied);
  count(out, "meshdns_dns_truncated_answers_total", "answers with TC", {{"transport", transport}}, totals.truncated);
  count(out, "meshdns_dns_last_resort_answers_total", "answers in which nothing serves", {{"transport", transport}},
        totals.last_resort);
  count(out, "meshdns_dns_farther_tier_answers_total", "answers from another tier than 0", {{"transport", transport}},
        totals.beyond_tier_0);
}

void add_latency(Samples& out, const server::LatencyTotals& totals) {
  Sample sample{Sample::Kind::Histogram,
                "meshdns_dns_answer_seconds",
                "from when UDP queries were read until their answers were given to the kernel",
                {},
                static_cast<double>(totals.nanoseconds) / 1e9};
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < server::kLatencyBuckets; ++i) {
    const bool last = i == server::kLatencyBounds.size();
    const double bound = last ? std::numeric_limits<double>::infinity()
                              : std::chrono::duration<double>(server::kLatencyBounds[i]).count();
    sample.buckets.push_back({bound, sum += totals.buckets[i]});
  }
  out.push_back(std::move(sample));
}

void add_server(Samples& out, const server::ServerTotals& totals) {
  add_queries(out, "udp", totals.udp);
  add_queries(out, "tcp", totals.tcp);
  add_latency(out, totals.udp_latency);
  count(out, "meshdns_dns_send_failures_total", "UDP answers that the kernel did not take", {}, totals.udp_send_failed);
  count(out, "meshdns_dns_udp_segmented_total", "UDP answers that left in one message with others of the same peer", {},
        totals.udp_segmented);
  count(out, "meshdns_dns_rate_limited_answers_total", "UDP answers truncated or dropped by dns.rate_limit", {},
        totals.udp.rate_limited);
  gauge(out, "meshdns_dns_open_connections", "TCP connections", {}, static_cast<double>(totals.tcp_open));
  count(out, "meshdns_dns_accepted_connections_total", "TCP connections", {}, totals.tcp_accepted);
  const std::string ended = "meshdns_dns_ended_connections_total";
  count(out, ended, "TCP connections by what ended them", {{"reason", "closed"}}, totals.tcp_closed);
  count(out, ended, "TCP connections by what ended them", {{"reason", "timeout"}}, totals.tcp_timed_out);
  count(out, ended, "TCP connections by what ended them", {{"reason", "evicted"}}, totals.tcp_evicted);
  count(out, ended, "TCP connections by what ended them", {{"reason", "client_limit"}}, totals.tcp_client_limit);
  count(out, "meshdns_dns_tcp_accept_failures_total",
        "attempts to accept a connection that failed for want of descriptors", {}, totals.tcp_accept_failed);
}

void add_dnstap(Samples& out, const dnstap::Sender& sender) {
  gauge(out, "meshdns_dnstap_connected", "1 while a receiver takes dnstap messages", {}, sender.connected() ? 1 : 0);
  count(out, "meshdns_dnstap_sent_messages_total", "dnstap messages sent", {}, sender.sent());
  count(out, "meshdns_dnstap_dropped_messages_total",
        "dnstap messages without a receiver, or for which it was too slow", {}, sender.dropped());
}

}  // namespace

void DnsService::collect(Samples& out) const {
  if (server_) {
    add_server(out, server_->counters());
    gauge(out, "meshdns_dns_rate_limiting", "1 while answers are limited, and a minute beyond", {},
          rate_limit_watch_.limiting() ? 1 : 0);
  }
  if (dnstap_) add_dnstap(out, *dnstap_);
}

}  // namespace meshdns::dnsd::app
