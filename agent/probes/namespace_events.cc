#include "agent/probes/namespace_events.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "agent/probes/namespace_look.h"
#include "agent/probes/namespace_table.h"
#include "agent/probes/socket_events.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {
namespace {

/// A process that stands for its namespace. Copies of a call that waits for it share this.
struct Holder : std::enable_shared_from_this<Holder> {
  Holder(process::EventLoop& loop, Fd process, std::function<void()> call)
      : stream(process::io_context_of(loop), process.release()), ended(std::move(call)) {}

  void wait() {
    stream.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (!error && self->stream.is_open()) self->ended();
                      });
  }

  boost::asio::posix::stream_descriptor stream;
  std::function<void()> ended;
};

struct Watched {
  std::unique_ptr<SocketEvents> events;
  std::unique_ptr<Listeners> listeners;
  std::shared_ptr<Holder> holder;

  Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() { let_go_of_holder(); }
  void let_go_of_holder() {
    if (holder) holder->stream.close();
    holder.reset();
  }
};

}  // namespace

struct NamespaceEvents::Inside {
  Inside(process::EventLoop& l, const Clock& c, Calls all, Options o)
      : loop(l), clock(c), calls(std::move(all)), options(o) {}

  ~Inside() {
    *alive = false;
    if (timer) loop.cancel(*timer);
    stop = true;
    if (thread.joinable()) thread.join();
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  /// Plans the next look. The gap after the last one counts, so that containers that come and go all the time cost
  /// little.
  void plan() {
    if (looking) return;
    if (timer) loop.cancel(*timer);
    timer.reset();
    const Duration wait = table.wait();
    if (wait == Duration::max()) return;
    const Duration gap = std::max(options.least_gap, options.rest * last_took);
    const TimePoint due = last_end ? *last_end + std::max(wait, gap) : clock.now();
    timer = loop.after(std::max(Duration::zero(), due - clock.now()), [this] {
      timer.reset();
      look();
    });
  }

  void look() {
    looking = true;
    table.begin();
    begun = clock.now();
    LookRequest request{table.wanted(), {}, options.most};
    for (const auto& [id, watched] : namespaces) request.held[id] = table.addresses_of(id);
    if (thread.joinable()) thread.join();  // the last look has ended: it has posted its result
    try {
      thread = std::thread([this, request = std::move(request), here = alive] {
        auto found = std::make_shared<Look>(look_for_namespaces(request, stop));
        loop.post([this, here, found] {
          if (*here) take(*found);
        });
      });
    } catch (const std::system_error& error) {
      Look none;
      none.unwatched_why = std::string("no thread: ") + error.what();
      none.unwatched = table.missing();
      for (const auto& [id, watched] : namespaces) none.found.push_back({id, table.addresses_of(id), {}, {}, {}});
      take(none);
    }
  }

  void take(Look& look) {
    looking = false;
    last_end = clock.now();
    last_took = *last_end - begun;
    denied = look.denied;
    unwatched = look.unwatched;
    unwatched_why = look.unwatched_why;
    std::vector<NamespaceTable::Seen> seen;
    for (const auto& one : look.found) {
      // one without connection was held when the look began, and may have been let go since
      if (one.connection || namespaces.contains(one.id)) seen.push_back({one.id, one.addresses});
    }
    const auto ended = table.take(std::move(look.own), seen);
    for (auto& one : look.found) {
      if (!table.addresses_of(one.id).empty()) hold(one);
    }
    if (look.again && table.missing() > 0) table.doubt();
    for (const auto& one : ended) namespaces.erase(one.id);
    apply_expected();
    plan();
    calls.changed();
    for (const auto& one : ended) {
      for (const IpAddress& address : one.addresses) calls.closed({address, 0});
    }
  }

  void hold(Look::Found& found) {
    Watched& watched = namespaces[found.id];
    if (found.connection) {
      const auto to = [this, id = found.id](const Closed& call) {
        return [this, id, &call](const SocketAddress& where) { report(id, where, call); };
      };
      watched.events = SocketEvents::listen(loop, std::move(found.connection), to(calls.closed));
      static_cast<void>(watched.events->watch_udp(udp_ports));  // without it, checks find them
      watched.listeners = std::make_unique<Listeners>(
          loop, to(calls.appeared), [] {}, Listeners::kInterval, std::move(found.lists));
    }
    if (!found.holder) {
      table.doubt();  // its process ended, and another one could not be held
      return;
    }
    watched.let_go_of_holder();
    watched.holder = std::make_shared<Holder>(loop, std::move(found.holder), [this] {
      table.doubt();
      plan();
    });
    watched.holder->wait();
  }

  /// Reports a socket by the addresses that endpoints have in its namespace.
  void report(NamespaceId id, const SocketAddress& where, const Closed& call) {
    const bool any = where.port == 0 || where.ip.is_unspecified();
    for (const IpAddress& address : table.addresses_of(id)) {
      // a socket on :: may have served IPv4 too
      const bool served = any ? where.port == 0 || !where.ip.is_v4() || address.is_v4() : address == where.ip;
      if (served) call({address, where.port});
    }
  }

  void apply_expected() {
    for (auto& [id, watched] : namespaces) {
      std::set<ExpectedPort> ports;
      for (const IpAddress& address : table.addresses_of(id)) {
        const auto found = expected.find(address);
        if (found != expected.end()) ports.insert(found->second.begin(), found->second.end());
      }
      watched.listeners->expect(std::move(ports));
    }
  }

  void watch(std::set<IpAddress> addresses, std::set<std::uint16_t> ports) {
    if (udp_ports != ports) {
      udp_ports = std::move(ports);
      for (auto& [id, watched] : namespaces) static_cast<void>(watched.events->watch_udp(udp_ports));
    }
    if (addresses == table.wanted()) return;
    for (const NamespaceId id : table.want(std::move(addresses))) namespaces.erase(id);
    plan();
    calls.changed();
  }

  process::EventLoop& loop;
  const Clock& clock;
  Calls calls;
  Options options;
  NamespaceTable table;
  std::set<std::uint16_t> udp_ports;
  Expected expected;
  std::map<NamespaceId, Watched> namespaces;  // those of the table
  std::string denied;
  std::size_t unwatched = 0;
  std::string unwatched_why;
  bool looking = false;
  TimePoint begun{};
  std::optional<TimePoint> last_end;
  Duration last_took{};
  std::optional<TimerId> timer;
  std::atomic<bool> stop = false;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);  // posted work may come after the end of this
  std::thread thread;
};

NamespaceEvents::NamespaceEvents(process::EventLoop& loop, const Clock& clock, Calls calls, Options options)
    : inside_(std::make_unique<Inside>(loop, clock, std::move(calls), options)) {}

NamespaceEvents::~NamespaceEvents() = default;

void NamespaceEvents::watch(std::set<IpAddress> addresses, std::set<std::uint16_t> udp_ports) {
  inside_->watch(std::move(addresses), std::move(udp_ports));
}

void NamespaceEvents::expect(Expected ports) {
  inside_->expected = std::move(ports);
  inside_->apply_expected();
}

NamespaceEvents::State NamespaceEvents::state() const {
  const auto& in = *inside_;
  return {in.denied, in.namespaces.size(), in.unwatched, in.unwatched_why, in.table.missing()};
}

}  // namespace meshdns::probes
