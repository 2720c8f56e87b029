#include "dnsd/server/dns_server.h"

#include <algorithm>

#include "dnsd/server/descriptor_limit.h"

namespace meshdns::server {
namespace {

constexpr int kPortTries = 16;
constexpr std::size_t kOtherDescriptors = 512;  // gRPC, HTTP, files

struct Pair {
  Fd udp;
  Fd tcp;
  SocketAddress bound;
};

/// UDP and TCP on one port. Where any port will do, the kernel's choice for UDP may be taken for TCP: then another.
Result<Pair> bind_pair(const SocketAddress& address) {
  for (int tries = 1;; ++tries) {
    auto udp = open_udp(address, false);
    if (!udp) return udp.error();
    const SocketAddress bound = bound_address(*udp);
    auto tcp = open_tcp(bound);
    if (tcp) return Pair{std::move(*udp), std::move(*tcp), bound};
    if (address.port != 0 || tries == kPortTries) return tcp.error();
  }
}

}  // namespace

DnsServer::DnsServer(const ServerOptions& options, const Published<answers::AnswerTable>& table, const Clock& clock)
    : policy_(std::make_shared<query::Policy>(options.policy)),
      limiter_(options.seed),
      environment_{table, policy_, limiter_, clock} {}

Result<std::vector<Fd>> DnsServer::bind_all(const ServerOptions& options) {
  std::vector<Fd> tcp;
  udp_sockets_.resize(std::max(1U, options.workers));
  for (const SocketAddress& address : options.listen) {
    const auto listener = static_cast<std::uint16_t>(bound_.size());
    const bool wildcard = address.ip.is_unspecified();
    auto pair = bind_pair(address);
    if (!pair) return pair.error();
    bound_.push_back(pair->bound);
    tcp.push_back(std::move(pair->tcp));
    udp_sockets_.front().push_back({std::move(pair->udp), listener, wildcard});
    for (std::size_t worker = 1; worker < udp_sockets_.size(); ++worker) {
      auto udp = open_udp(bound_.back(), true);
      if (!udp) return udp.error();
      udp_sockets_[worker].push_back({std::move(*udp), listener, wildcard});
    }
  }
  return tcp;
}

Result<std::unique_ptr<DnsServer>> DnsServer::start(const ServerOptions& options,
                                                    const Published<answers::AnswerTable>& table, const Clock& clock) {
  if (options.listen.empty()) return Error(Code::InvalidArgument, "no listen address");
  if (table.get() == nullptr) return Error(Code::FailedPrecondition, "no answer table to serve");
  std::unique_ptr<DnsServer> server(new DnsServer(options, table, clock));
  auto tcp = server->bind_all(options);
  if (!tcp) return tcp.error();
  if (options.steer_by_cpu) server->steer_by_cpu(options.listen.size());
  std::uint64_t seed = options.seed;
  for (auto& sockets : server->udp_sockets_) {
    server->workers_.push_back(std::make_unique<UdpWorker>(std::move(sockets), server->environment_, ++seed));
  }
  server->udp_sockets_.clear();
  server->tcp_ =
      std::make_unique<TcpServer>(std::move(*tcp), server->affordable(options.tcp), server->environment_, ++seed);
  const std::atomic<bool>& stop = server->stop_;
  for (auto& worker : server->workers_) {
    server->threads_.emplace_back([&stop, at = worker.get()] { at->run(stop); });
  }
  server->threads_.emplace_back([&stop, at = server->tcp_.get()] { at->run(stop); });
  return server;
}

DnsServer::~DnsServer() { stop(); }

void DnsServer::steer_by_cpu(std::size_t listeners) {
  const std::size_t workers = udp_sockets_.size();
  // with more workers than CPUs some would never get anything
  if (workers < 2 || workers > std::thread::hardware_concurrency()) return;
  for (std::size_t i = 0; i < listeners; ++i) {
    if (server::steer_by_cpu(udp_sockets_.front()[i].fd, static_cast<unsigned>(workers))) continue;
    warnings_.push_back("packets are not steered to the worker of their CPU: the kernel refuses the filter");
    return;
  }
}

TcpLimits DnsServer::affordable(TcpLimits limits) {
  const std::size_t allowed = raise_descriptor_limit(limits.connections + kOtherDescriptors);
  if (allowed >= limits.connections + kOtherDescriptors) return limits;
  const std::size_t wanted = limits.connections;
  limits.connections = std::min(wanted, std::max<std::size_t>(1, allowed - std::min(allowed / 2, kOtherDescriptors)));
  warnings_.push_back("at most " + std::to_string(limits.connections) + " TCP connections instead of " +
                      std::to_string(wanted) + ": the limit of open files is " + std::to_string(allowed));
  return limits;
}

void DnsServer::set_policy(query::Policy policy) {
  policy_.publish(std::make_shared<query::Policy>(std::move(policy)));
}

std::string DnsServer::last_limited() const {
  const std::uint64_t prefix = limiter_.last_limited();
  return prefix == 0 ? "" : query::prefix_text(prefix);
}

void DnsServer::stop() {
  stop_.store(true, std::memory_order_relaxed);
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

ServerTotals DnsServer::counters() const {
  ServerTotals totals;
  for (const auto& worker : workers_) {
    query::merge(totals.udp, worker->counters());
    totals.udp_send_failed += worker->send_failed();
  }
  tcp_->add_to(totals);
  return totals;
}

std::vector<std::uint64_t> DnsServer::ticks() const {
  std::vector<std::uint64_t> out;
  for (const auto& worker : workers_) out.push_back(worker->ticks());
  out.push_back(tcp_->ticks());
  return out;
}

}  // namespace meshdns::server
