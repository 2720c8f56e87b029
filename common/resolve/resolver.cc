#include "common/resolve/resolver.h"

#include <ares.h>
#include <netdb.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <optional>
#include <utility>

#include "common/base/text.h"
#include "common/process/asio_loop.h"

namespace meshdns::resolve {
namespace {

using boost::asio::posix::stream_descriptor;

constexpr int kClassIn = 1;     // RFC 1035 3.2.4
constexpr int kTypeA = 1;       // RFC 1035 3.2.2
constexpr int kTypeAaaa = 28;   // RFC 3596 2.1
constexpr int kMostOfOne = 64;  // addresses of one family

/// A TTL with its highest bit set is 0 (RFC 2181 8).
Duration ttl_of(int seconds) { return std::chrono::seconds(std::max(seconds, 0)); }

int parse(Family family, const unsigned char* bytes, int size, Answer& out) {
  int count = kMostOfOne;
  const auto add = [&out](IpAddress address, int ttl) {
    out.ttl = out.addresses.empty() ? ttl_of(ttl) : std::min(out.ttl, ttl_of(ttl));
    out.addresses.push_back(address);
  };
  if (family == Family::V4) {
    std::array<ares_addrttl, kMostOfOne> found{};
    const int status = ares_parse_a_reply(bytes, size, nullptr, found.data(), &count);
    if (status != ARES_SUCCESS) return status;
    for (int i = 0; i < count; ++i) add(IpAddress::v4(ntohl(found[i].ipaddr.s_addr)), found[i].ttl);
  } else {
    std::array<ares_addr6ttl, kMostOfOne> found{};
    const int status = ares_parse_aaaa_reply(bytes, size, nullptr, found.data(), &count);
    if (status != ARES_SUCCESS) return status;
    for (int i = 0; i < count; ++i) {
      add(IpAddress::v6_bytes(std::span<const std::uint8_t, 16>(found[i].ip6addr._S6_un._S6_u8)), found[i].ttl);
    }
  }
  return count == 0 ? ARES_ENODATA : ARES_SUCCESS;
}

Error error_of(int status) {
  switch (status) {
    case ARES_ENOTFOUND: return {Code::NotFound, "no such name"};
    case ARES_ENODATA: return {Code::NotFound, "it has no addresses"};
    case ARES_ETIMEOUT: return {Code::DeadlineExceeded, "no server answers"};
    case ARES_ECONNREFUSED:  // also if all servers answered REFUSED, SERVFAIL or NOTIMP
      return {Code::Unavailable, "every server refuses or fails"};
    case ARES_ENOMEM:
    case ARES_EFILE: return {Code::ResourceExhausted, ares_strerror(status)};
    default: return {Code::Internal, ares_strerror(status)};
  }
}

}  // namespace

/// One running lookup of a name, with a c-ares channel of its own: so it reads the present /etc/resolv.conf, and it can
/// be ended without an effect on other lookups.
class Resolver::Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  using End = std::function<void(const std::shared_ptr<Lookup>&, Result<Answer>)>;

  Lookup(process::EventLoop& loop, End end) : loop_(loop), end_(std::move(end)) {}
  ~Lookup() { close(); }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  void start(const std::string& name, const Options& options);
  /// Ends the lookup without calling `end`.
  void cancel() {
    end_ = nullptr;
    close();
  }

 private:
  struct Socket {
    explicit Socket(boost::asio::io_context& context) : descriptor(context) {}

    stream_descriptor descriptor;
    std::array<bool, 2> wanted{};  // by Direction
    std::array<bool, 2> waiting{};
  };
  enum Direction : std::uint8_t { Read, Write };
  struct Question {
    Lookup* lookup = nullptr;
    Family family{};
    std::optional<int> status;  // c-ares's; nothing = the query is running
  };

  static void socket_changed(void* lookup, int socket, int read, int write);
  static void answered(void* question, int status, int timeouts, unsigned char* bytes, int size);

  int open(const Options& options);
  void wait(int number, const std::shared_ptr<Socket>& socket, Direction direction);
  void process(int read, int write);
  /// Called after c-ares has run: ends the lookup if both questions are answered, otherwise waits for its sockets and
  /// its timer.
  void settle();
  Result<Answer> result();
  void close();

  process::EventLoop& loop_;
  End end_;
  ares_channel channel_ = nullptr;
  std::map<int, std::shared_ptr<Socket>> sockets_;
  std::array<Question, 2> questions_{Question{this, Family::V4, {}}, Question{this, Family::V6, {}}};
  Answer answer_;
  std::optional<TimerId> timer_;
};

// ares_library_init() is not called: it does something on Windows only, and it is not thread-safe if another library of
// this process (gRPC) calls it.
int Resolver::Lookup::open(const Options& options) {
  ares_options out{};
  out.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  out.timeout = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count());
  out.tries = options.tries;
  out.sock_state_cb = socket_changed;
  out.sock_state_cb_data = this;
  const int status =
      ares_init_options(&channel_, &out, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS || options.servers.empty()) return status;
  std::vector<std::string> servers;
  for (const SocketAddress& server : options.servers) servers.push_back(server.text());
  return ares_set_servers_ports_csv(channel_, join(servers, ",").c_str());
}

void Resolver::Lookup::start(const std::string& name, const Options& options) {
  if (const int status = open(options); status != ARES_SUCCESS) {
    for (Question& question : questions_) question.status = status;
  } else {
    ares_query(channel_, name.c_str(), kClassIn, kTypeA, answered, questions_.data());
    ares_query(channel_, name.c_str(), kClassIn, kTypeAaaa, answered, &questions_[1]);
  }
  settle();
}

void Resolver::Lookup::answered(void* question, int status, int /*timeouts*/, unsigned char* bytes, int size) {
  auto& asked = *static_cast<Question*>(question);
  asked.status = status == ARES_SUCCESS ? parse(asked.family, bytes, size, asked.lookup->answer_) : status;
}

void Resolver::Lookup::socket_changed(void* lookup, int number, int read, int write) {
  auto& self = *static_cast<Lookup*>(lookup);
  if (read == 0 && write == 0) {  // c-ares is about to close the socket
    const auto found = self.sockets_.find(number);
    if (found == self.sockets_.end()) return;
    found->second->descriptor.release();
    self.sockets_.erase(found);
    return;
  }
  auto& socket = self.sockets_[number];
  if (!socket) {
    socket = std::make_shared<Socket>(process::io_context_of(self.loop_));
    boost::system::error_code failed;
    socket->descriptor.assign(number, failed);
    if (failed) {  // the question then ends by its timeout
      self.sockets_.erase(number);
      return;
    }
  }
  socket->wanted = {read != 0, write != 0};
}

void Resolver::Lookup::wait(int number, const std::shared_ptr<Socket>& socket, Direction direction) {
  if (!socket->wanted[direction] || std::exchange(socket->waiting[direction], true)) return;
  const auto what = direction == Read ? stream_descriptor::wait_read : stream_descriptor::wait_write;
  socket->descriptor.async_wait(
      what, [self = shared_from_this(), number, socket, direction](const boost::system::error_code& failed) {
        socket->waiting[direction] = false;
        const auto found = self->sockets_.find(number);
        if (failed || found == self->sockets_.end() || found->second != socket) return;
        self->process(direction == Read ? number : ARES_SOCKET_BAD, direction == Write ? number : ARES_SOCKET_BAD);
      });
}

void Resolver::Lookup::process(int read, int write) {
  ares_process_fd(channel_, read, write);
  settle();
}

void Resolver::Lookup::settle() {
  if (timer_) loop_.cancel(*std::exchange(timer_, std::nullopt));
  if (std::ranges::all_of(questions_, [](const Question& question) { return question.status.has_value(); })) {
    close();
    return loop_.post([self = shared_from_this()] {
      if (self->end_) std::exchange(self->end_, nullptr)(self, self->result());
    });
  }
  for (const auto& [number, socket] : sockets_) {
    wait(number, socket, Read);
    wait(number, socket, Write);
  }
  timeval next{};
  if (ares_timeout(channel_, nullptr, &next) == nullptr) return;
  timer_ = loop_.after(std::chrono::seconds(next.tv_sec) + std::chrono::microseconds(next.tv_usec), [this] {
    timer_.reset();
    process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

Result<Answer> Resolver::Lookup::result() {
  const auto says_none = [](int status) { return status == ARES_ENOTFOUND || status == ARES_ENODATA; };
  const Question* silent = nullptr;
  for (const Question& question : questions_) {
    if (*question.status != ARES_SUCCESS && !says_none(*question.status)) silent = &question;
  }
  if (answer_.addresses.empty()) return error_of(silent != nullptr ? *silent->status : *questions_[0].status);
  if (silent != nullptr) answer_.unanswered = silent->family;
  std::ranges::sort(answer_.addresses);
  const auto twice = std::ranges::unique(answer_.addresses);
  answer_.addresses.erase(twice.begin(), twice.end());
  return std::move(answer_);
}

void Resolver::Lookup::close() {
  if (timer_) loop_.cancel(*std::exchange(timer_, std::nullopt));
  if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
}

Resolver::Resolver(process::EventLoop& loop, Options options) : loop_(loop), options_(std::move(options)) {}

Resolver::~Resolver() {
  for (const auto& lookup : lookups_) lookup->cancel();
}

void Resolver::resolve(const std::string& name, Done done) {
  const auto lookup = std::make_shared<Lookup>(
      loop_, [this, done = std::move(done)](const std::shared_ptr<Lookup>& ended, Result<Answer> result) {
        lookups_.erase(ended);
        done(std::move(result));
      });
  lookups_.insert(lookup);
  lookup->start(name, options_);
}

}  // namespace meshdns::resolve
