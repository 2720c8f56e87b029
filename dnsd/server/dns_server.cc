#include "dnsd/server/dns_server.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "common/base/descriptor_limit.h"
#include "dnsd/server/inherited.h"

namespace meshdns::server {
namespace {

constexpr int kPortTries = 16;
constexpr std::size_t kOtherDescriptors = 512;  // for gRPC, HTTP and files

/// The sockets of one listen address.
struct Listening {
  std::vector<Fd> udp;
  Fd tcp;
  SocketAddress bound;
  bool inherited = false;
};

/// Returns the families of a socket: [::] takes IPv4, too, unless an IPv4 address is listed with the same port.
Families families_at(const SocketAddress& address, const std::vector<SocketAddress>& listen) {
  const bool own_v4 = std::ranges::any_of(
      listen, [&](const SocketAddress& other) { return other.ip.is_v4() && other.port == address.port; });
  return own_v4 ? Families::V6Only : Families::Both;
}

/// Binds UDP and TCP to one port. For port 0 the kernel chooses a port for UDP, which may be taken for TCP; then
/// another port is tried.
Result<Listening> bind_pair(const SocketAddress& address, Families families) {
  for (int tries = 1;; ++tries) {
    auto udp = open_udp(address, false, families);
    if (!udp) return udp.error();
    Listening out;
    out.bound = bound_address(*udp);
    auto tcp = open_tcp(out.bound, families);
    if (!tcp && (address.port != 0 || tries == kPortTries)) return tcp.error();
    if (!tcp) continue;
    out.udp.push_back(std::move(*udp));
    out.tcp = std::move(*tcp);
    return out;
  }
}

/// Adds the UDP or TCP socket that the service manager has not opened.
Result<Listening> complete(Inherited inherited, const SocketAddress& address, Families families) {
  Listening out{std::move(inherited.udp), std::move(inherited.tcp), address, true};
  if (out.udp.empty()) {
    auto udp = open_udp(address, false, families);
    if (!udp) return udp.error();
    out.udp.push_back(std::move(*udp));
    out.inherited = false;
  }
  if (out.tcp) return out;
  auto tcp = open_tcp(address, families);
  if (!tcp) return tcp.error();
  out.tcp = std::move(*tcp);
  return out;
}

/// Adds UDP sockets until each worker can have one.
Result<void> add_for_workers(Listening& listening, std::size_t workers, Families families) {
  const std::size_t given = listening.udp.size();
  while (listening.udp.size() < workers) {
    auto more = listening.inherited ? copy_of(listening.udp[listening.udp.size() % given])
                                    : open_udp(listening.bound, true, families);
    if (!more) return more.error();
    listening.udp.push_back(std::move(*more));
  }
  return {};
}

}  // namespace

DnsServer::DnsServer(const ServerOptions& options, Quiescent<answers::AnswerTable>& table, const Clock& clock)
    : policy_(std::make_shared<query::Policy>(options.policy)),
      limiter_(options.seed),
      tap_(options.tap ? std::make_unique<Tap>() : nullptr),
      environment_{table, policy_, limiter_, *capture_, clock, pulse_, tap_.get()} {}

Result<std::vector<Fd>> DnsServer::bind_all(const ServerOptions& options) {
  std::vector<Fd> tcp;
  udp_sockets_.resize(std::max(1U, options.workers));
  for (const SocketAddress& address : options.listen) {
    const auto listener = static_cast<std::uint16_t>(bound_.size());
    const Families families = families_at(address, options.listen);
    auto found = server::inherited(options.inherited, address);
    auto listening = found ? complete(std::move(found), address, families) : bind_pair(address, families);
    if (!listening) return listening.error();
    if (auto added = add_for_workers(*listening, udp_sockets_.size(), families); !added) return added.error();
    bound_.push_back(listening->bound);
    inherited_.push_back(listening->inherited);
    tcp.push_back(std::move(listening->tcp));
    std::size_t worker = 0;
    for (Fd& udp : listening->udp) {
      udp_sockets_[worker++ % udp_sockets_.size()].push_back({std::move(udp), listener, address.ip.is_unspecified()});
    }
  }
  return tcp;
}

Result<std::unique_ptr<DnsServer>> DnsServer::start(const ServerOptions& options,
                                                    Quiescent<answers::AnswerTable>& table, const Clock& clock) {
  if (options.listen.empty()) return Error(Code::InvalidArgument, "no listen address");
  if (table.empty()) return Error(Code::FailedPrecondition, "no answer table to serve");
  std::unique_ptr<DnsServer> server(new DnsServer(options, table, clock));
  auto tcp = server->bind_all(options);
  if (!tcp) return tcp.error();
  if (options.steer_by_cpu) server->steer_by_cpu();
  std::uint64_t seed = options.seed;
  for (auto& sockets : server->udp_sockets_) {
    server->workers_.push_back(std::make_unique<UdpWorker>(std::move(sockets), server->environment_, ++seed));
  }
  server->udp_sockets_.clear();
  server->tcp_ =
      std::make_unique<TcpServer>(std::move(*tcp), server->affordable(options.tcp), server->environment_, ++seed);
  if (auto opened = server->tcp_->open(); !opened) return opened.error();
  if (auto started = server->start_threads(); !started) return started.error();
  return server;
}

Result<void> DnsServer::start_threads() {
  const std::atomic<bool>& stop = stop_;
  try {
    for (auto& worker : workers_) {
      threads_.emplace_back([&stop, at = worker.get()] { at->run(stop); });
    }
    threads_.emplace_back([&stop, at = tcp_.get()] { at->run(stop); });
  } catch (const std::system_error& error) {  // the destructor ends the threads that have started
    return Error(Code::ResourceExhausted, std::string("the system gives no threads for DNS: ") + error.what());
  }
  return {};
}

DnsServer::~DnsServer() { stop(); }

void DnsServer::steer_by_cpu() {
  const std::size_t workers = udp_sockets_.size();
  // with more workers than CPUs, some workers would never get a packet
  if (workers < 2 || workers > std::thread::hardware_concurrency()) return;
  for (const UdpSocket& socket : udp_sockets_.front()) {
    if (inherited_[socket.listener]) continue;  // the service manager may have added sockets to the group
    if (server::steer_by_cpu(socket.fd, static_cast<unsigned>(workers))) continue;
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
    totals.udp_segmented += worker->segmented();
    worker->latency().add_to(totals.udp_latency);
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
