#include "common/net/port_holder.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "common/base/text.h"

namespace meshdns {
namespace {

namespace fs = std::filesystem;

template <class Number>
std::optional<Number> hex(std::string_view text) {
  Number out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// Reads "0100007F" or 32 digits: 32-bit words, each in the machine's byte order.
std::optional<IpAddress> address_in_hex(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  if (text.size() != 8 && text.size() != 32) return std::nullopt;
  for (std::size_t at = 0; at < text.size() / 2; at += 4) {
    const auto word = hex<std::uint32_t>(text.substr(at * 2, 8));
    if (!word) return std::nullopt;
    std::memcpy(bytes.data() + at, &*word, sizeof *word);
  }
  if (text.size() == 32) return IpAddress::v6_bytes(bytes);
  return IpAddress::v4((std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
                       (std::uint32_t{bytes[2]} << 8) | bytes[3]);
}

/// Whether a socket that is bound to `held` keeps others from binding `wanted`.
bool collide(const IpAddress& held, const IpAddress& wanted) {
  if (held == wanted) return true;
  // a socket on :: may take IPv4 too
  if (held.is_unspecified()) return held.is_v4() == wanted.is_v4() || !held.is_v4();
  return wanted.is_unspecified() && held.is_v4() == wanted.is_v4();
}

/// The sockets that keep the address from being bound: "socket:[inode]", as links in /proc name them, with the owner's
/// uid.
using Sockets = std::map<std::string, std::string>;

/// Adds the sockets of one table of /proc/net. A row reads
/// `sl local_address rem_address st queues timer retransmits uid timeout inode ...`.
void collect(const char* table, const SocketAddress& wanted, Sockets& out) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // the head
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, skipped, uid, inode;
    words >> slot >> local >> remote >> state;
    for (int i = 0; i < 3; ++i) words >> skipped;
    words >> uid >> skipped >> inode;
    const auto colon = local.rfind(':');
    if (colon == std::string::npos) continue;
    const auto port = hex<std::uint16_t>(std::string_view(local).substr(colon + 1));
    const auto ip = address_in_hex(std::string_view(local).substr(0, colon));
    // A client's connection with this port number does not hold the port: only listening (0A) and unconnected UDP (07)
    // sockets do.
    if (port != wanted.port || !ip || !collide(*ip, wanted.ip) || (state != "0A" && state != "07")) continue;
    out.emplace("socket:[" + inode + "]", uid);
  }
}

bool holds(const fs::path& process, const Sockets& sockets) {
  std::error_code error;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (sockets.contains(fs::read_symlink(at->path(), gone).string())) return true;
  }
  return false;
}

}  // namespace

std::string port_holder(const SocketAddress& address, Protocol protocol) {
  Sockets sockets;
  collect(protocol == Protocol::Udp ? "/proc/net/udp" : "/proc/net/tcp", address, sockets);
  collect(protocol == Protocol::Udp ? "/proc/net/udp6" : "/proc/net/tcp6", address, sockets);
  if (sockets.empty()) return "";
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string pid = at->path().filename().string();
    if (!parse_uint(pid) || !holds(at->path(), sockets)) continue;
    std::string name;
    std::ifstream comm(at->path() / "comm");
    std::getline(comm, name);
    return name + " (pid " + pid + ")";
  }
  return "a process of uid " + sockets.begin()->second;
}

std::string held_by(int error, const SocketAddress& address, Protocol protocol) {
  if (error != EADDRINUSE) return "";
  const std::string holder = port_holder(address, protocol);
  return holder.empty() ? "" : ", held by " + holder;
}

}  // namespace meshdns
