#include "dnsd/server/udp_batch.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

namespace meshdns::server {
namespace {

constexpr std::size_t kControlSize = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint16_t));

/// Clears the interface by which a packet came. Answers leave from the address that was asked, but the routing table
/// chooses their way; only link-local addresses mean nothing without their interface.
void clear_interface(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      reinterpret_cast<in_pktinfo*>(CMSG_DATA(control))->ipi_ifindex = 0;
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      auto* info = reinterpret_cast<in6_pktinfo*>(CMSG_DATA(control));
      if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr)) info->ipi6_ifindex = 0;
    }
  }
}

/// Returns family, port and, for IPv4, address of a peer: all of an IPv4 peer, and enough to tell most others apart.
std::uint64_t head_of(const sockaddr_storage& peer) noexcept {
  std::uint64_t head = 0;
  std::memcpy(&head, &peer, sizeof head);
  return head;
}

/// A buffer with a cache line more than a power of two; otherwise the heads of all buffers would share two sets of the
/// first-level cache.
struct alignas(64) Buffer {
  std::array<std::uint8_t, UdpBatch::kBufferSize + 64> bytes;

  std::uint8_t* data() noexcept { return bytes.data(); }
};

}  // namespace

/// The memory of a batch. Receiving and sending use the same buffers and addresses. The headers to send are copies, so
/// that those to receive need only the fields reset that the kernel has changed.
struct UdpBatch::Memory {
  std::array<Buffer, kMost> buffers;
  std::array<sockaddr_storage, kMost> peers;
  alignas(cmsghdr) std::array<std::array<std::uint8_t, kControlSize>, kMost> controls;
  std::array<iovec, kMost> vectors;
  std::array<mmsghdr, kMost> messages;
  std::array<mmsghdr, kMost> outgoing;
};

UdpBatch::UdpBatch() : memory_(std::make_unique<Memory>()) { prepare(); }

UdpBatch::~UdpBatch() = default;

std::span<const std::uint8_t> UdpBatch::request(unsigned i) const noexcept {
  return {memory_->buffers[i].data(), memory_->messages[i].msg_len};
}

std::uint8_t* UdpBatch::buffer(unsigned i) noexcept { return memory_->buffers[i].data(); }

const sockaddr_storage& UdpBatch::peer(unsigned i) const noexcept { return memory_->peers[i]; }

void UdpBatch::set_answer(unsigned i, std::size_t size) noexcept { memory_->vectors[i].iov_len = size; }

std::span<const std::uint8_t> UdpBatch::answer(unsigned i) const noexcept {
  return {memory_->buffers[i].data(), memory_->vectors[i].iov_len};
}

void UdpBatch::prepare() {
  for (unsigned i = 0; i < kMost; ++i) {
    memory_->vectors[i] = {memory_->buffers[i].data(), kBufferSize};
    msghdr& head = memory_->messages[i].msg_hdr;
    head = {};
    head.msg_name = &memory_->peers[i];
    head.msg_namelen = sizeof memory_->peers[i];
    head.msg_iov = &memory_->vectors[i];
    head.msg_iovlen = 1;
    if (!wildcard_) continue;
    head.msg_control = memory_->controls[i].data();
    head.msg_controllen = kControlSize;
  }
}

/// Resets the fields that the kernel and set_answer() have changed.
void UdpBatch::restore() {
  for (unsigned i = 0; i < received_; ++i) {
    memory_->vectors[i].iov_len = kBufferSize;
    msghdr& head = memory_->messages[i].msg_hdr;
    head.msg_namelen = sizeof memory_->peers[i];
    if (wildcard_) head.msg_controllen = kControlSize;
  }
}

unsigned UdpBatch::receive(int socket, bool wildcard, int flags) {
  if (wildcard != wildcard_) {
    wildcard_ = wildcard;
    prepare();
  } else {
    restore();
  }
  const int count = ::recvmmsg(socket, memory_->messages.data(), kMost, flags, nullptr);
  received_ = count > 0 ? static_cast<unsigned>(count) : 0;
  return received_;
}

/// Returns whether answer i can be sent with the one before it: to the same peer, from the same address, and as long.
bool UdpBatch::continues_run(unsigned i) const noexcept {
  const Memory& memory = *memory_;
  const sockaddr_storage& peer = memory.peers[i];
  if (memory.vectors[i].iov_len != memory.vectors[i - 1].iov_len || head_of(peer) != head_of(memory.peers[i - 1])) {
    return false;
  }
  const msghdr& one = memory.messages[i - 1].msg_hdr;
  const msghdr& other = memory.messages[i].msg_hdr;
  if (peer.ss_family != AF_INET &&
      (one.msg_namelen != other.msg_namelen || std::memcmp(&peer, &memory.peers[i - 1], one.msg_namelen) != 0)) {
    return false;
  }
  if (!wildcard_) return true;
  return one.msg_controllen == other.msg_controllen &&
         std::memcmp(memory.controls[i].data(), memory.controls[i - 1].data(), one.msg_controllen) == 0;
}

void UdpBatch::add_segment_size(msghdr& message) noexcept {
  const auto at = static_cast<std::size_t>(message.msg_iov - memory_->vectors.data());
  const std::size_t used = message.msg_controllen;
  message.msg_control = memory_->controls[at].data();
  message.msg_controllen = used + CMSG_SPACE(sizeof(std::uint16_t));
  auto* control = reinterpret_cast<cmsghdr*>(memory_->controls[at].data() + used);
  control->cmsg_level = IPPROTO_UDP;
  control->cmsg_type = UDP_SEGMENT;
  control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
  const auto size = static_cast<std::uint16_t>(message.msg_iov->iov_len);
  std::memcpy(CMSG_DATA(control), &size, sizeof size);
}

/// Makes the headers to send, one for each answer or run of answers.
/// returns: the number of headers
unsigned UdpBatch::gather() {
  unsigned ready = 0;
  for (unsigned i = 0; i < received_;) {
    const unsigned first = i++;
    if (memory_->vectors[first].iov_len == 0) continue;
    if (segments_) {
      while (i < received_ && continues_run(i)) ++i;
    }
    msghdr& head = memory_->outgoing[ready++].msg_hdr;
    head = memory_->messages[first].msg_hdr;
    if (wildcard_) clear_interface(head);
    if (i - first == 1) continue;
    head.msg_iovlen = i - first;  // vectors of neighbours follow each other
    segmented_.add(i - first);
    add_segment_size(head);
  }
  return ready;
}

/// Sends the answers of a run that the kernel refused one by one. If one of them is accepted, the kernel or the device
/// cannot segment, and runs are not tried again.
void UdpBatch::send_singly(int socket, const msghdr& run) {
  // read before the next system call changes it
  const bool cannot = errno == EIO || errno == EINVAL;
  for (std::size_t i = 0; i < run.msg_iovlen; ++i) {
    msghdr single = run;
    single.msg_iov = run.msg_iov + i;
    single.msg_iovlen = 1;
    single.msg_controllen -= CMSG_SPACE(sizeof(std::uint16_t));
    if (single.msg_controllen == 0) single.msg_control = nullptr;
    if (::sendmsg(socket, &single, 0) < 0) {
      failed_.add();
    } else if (cannot) {
      segments_ = false;
    }
  }
}

void UdpBatch::send(int socket) {
  const unsigned ready = gather();
  for (unsigned sent = 0; sent < ready;) {
    const int done = ::sendmmsg(socket, memory_->outgoing.data() + sent, ready - sent, 0);
    if (done < 0 && errno == EINTR) continue;
    if (done > 0) {
      sent += static_cast<unsigned>(done);
      continue;
    }
    // only the first message was refused (no route, port 0, full); the others may go out
    const msghdr& head = memory_->outgoing[sent++].msg_hdr;
    if (head.msg_iovlen > 1) {
      send_singly(socket, head);
    } else {
      failed_.add();
    }
  }
}

}  // namespace meshdns::server
