#include "dnsd/dnstap/stream.h"

#include <fstrm.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "common/base/check.h"
#include "dnsd/server/socket.h"

namespace meshdns::dnstap {
namespace {

constexpr std::string_view kContentType = "protobuf:dnstap.Dnstap";
constexpr timeval kPatience{1, 0};
constexpr std::size_t kMostVectors = 1024;  // the kernel's limit

/// A unix socket with a time limit: libfstrm's own waits forever for a stuck receiver.
struct Transport {
  std::string path;
  Fd fd;
  int error = 0;

  bool open() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return fails(ENAMETOOLONG);
    std::memcpy(address.sun_path, path.data(), path.size());
    fd = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return fails(errno);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    const int done = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return done == 0 || fails(errno);
  }
  bool read(void* data, std::size_t size) {
    const ssize_t got = ::recv(fd.get(), data, size, MSG_WAITALL);
    return got == static_cast<ssize_t>(size) || fails(got < 0 ? errno : EPROTO);
  }
  bool write(std::span<const iovec> vectors) {
    std::vector<iovec> left(vectors.begin(), vectors.end());
    for (std::size_t at = 0; at < left.size();) {
      msghdr message{};
      message.msg_iov = &left[at];
      message.msg_iovlen = std::min(left.size() - at, kMostVectors);
      const ssize_t sent = ::sendmsg(fd.get(), &message, MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return fails(errno);
      std::size_t rest = static_cast<std::size_t>(sent);
      while (at < left.size() && rest >= left[at].iov_len) rest -= left[at++].iov_len;
      if (at == left.size()) break;
      left[at].iov_base = static_cast<char*>(left[at].iov_base) + rest;
      left[at].iov_len -= rest;
    }
    return true;
  }
  /// Notes an error. A read or write that exceeds the time limit counts as a broken connection.
  bool fails(int why) {
    error = why == EAGAIN ? ETIMEDOUT : why;
    return false;
  }
};

Transport& transport(void* object) { return *static_cast<Transport*>(object); }
fstrm_res as_result(bool good) { return good ? fstrm_res_success : fstrm_res_failure; }

/// Returns libfstrm's view of a transport. The writer that is created from it owns it.
fstrm_rdwr* reader_writer_of(Transport& to) {
  fstrm_rdwr* out = ::fstrm_rdwr_init(&to);
  ::fstrm_rdwr_set_open(out, [](void* object) { return as_result(transport(object).open()); });
  ::fstrm_rdwr_set_close(out, [](void* object) {
    transport(object).fd = Fd();
    return fstrm_res_success;
  });
  ::fstrm_rdwr_set_read(
      out, [](void* object, void* data, std::size_t size) { return as_result(transport(object).read(data, size)); });
  ::fstrm_rdwr_set_write(out, [](void* object, const iovec* vectors, int count) {
    return as_result(transport(object).write(std::span(vectors, static_cast<std::size_t>(count))));
  });
  return out;
}

}  // namespace

struct Stream::Connection {
  Transport transport;
  fstrm_writer* writer = nullptr;

  explicit Connection(const std::string& path) : transport{path, {}, 0} {
    fstrm_writer_options* options = ::fstrm_writer_options_init();
    ::fstrm_writer_options_add_content_type(options, kContentType.data(), kContentType.size());
    fstrm_rdwr* reader_writer = reader_writer_of(transport);
    writer = ::fstrm_writer_init(options, &reader_writer);
    ::fstrm_writer_options_destroy(&options);
    MESHDNS_CHECK(writer != nullptr);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::fstrm_writer_destroy(&writer); }
};

Result<std::unique_ptr<Stream>> Stream::open(const std::string& path) {
  std::unique_ptr<Stream> out(new Stream());
  out->connection_ = std::make_unique<Connection>(path);
  if (::fstrm_writer_open(out->connection_->writer) == fstrm_res_success) return out;
  const int error = out->connection_->transport.error;
  return Error(Code::Unavailable, error == 0 ? "it does not speak dnstap" : std::strerror(error));
}

Stream::~Stream() = default;

bool Stream::write(std::span<const std::string> frames) {
  MESHDNS_CHECK(frames.size() <= kMostFrames);
  std::array<iovec, kMostFrames> vectors;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    vectors[i] = {const_cast<char*>(frames[i].data()), frames[i].size()};
  }
  const auto count = static_cast<int>(frames.size());
  if (::fstrm_writer_writev(connection_->writer, vectors.data(), count) == fstrm_res_success) return true;
  ::shutdown(connection_->transport.fd.get(), SHUT_RDWR);  // so that the end of the stream does not wait for an answer
  return false;
}

int Stream::descriptor() const { return connection_->transport.fd.get(); }

}  // namespace meshdns::dnstap
