#include "dnsd/server/port_holder.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "common/base/text.h"

namespace meshdns::server {
namespace {

namespace fs = std::filesystem;

/// Links "socket:[inode]" of the sockets in one table of /proc/net whose local port it is. A row reads
/// `sl local_address rem_address st queues timer retransmits uid timeout inode ...`.
void collect_links(const char* table, std::uint16_t port, std::set<std::string>& links) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // the head
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, skipped, inode;
    words >> slot >> local >> remote >> state;
    for (int i = 0; i < 5; ++i) words >> skipped;
    words >> inode;
    const auto colon = local.rfind(':');
    if (colon == std::string::npos) continue;
    unsigned number = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), number, 16);
    // connections of a client that merely uses the number do not hold it: listening is 0A, unconnected UDP 07
    if (number == port && (state == "0A" || state == "07")) links.insert("socket:[" + inode + "]");
  }
}

bool holds(const fs::path& process, const std::set<std::string>& links) {
  std::error_code error;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (links.contains(fs::read_symlink(at->path(), gone).string())) return true;
  }
  return false;
}

}  // namespace

std::string port_holder(std::uint16_t port) {
  std::set<std::string> links;
  for (const auto* table : {"/proc/net/udp", "/proc/net/udp6", "/proc/net/tcp", "/proc/net/tcp6"}) {
    collect_links(table, port, links);
  }
  if (links.empty()) return "";
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string pid = at->path().filename().string();
    if (!parse_uint(pid) || !holds(at->path(), links)) continue;
    std::string name;
    std::getline(std::ifstream(at->path() / "comm"), name);
    return name + " (pid " + pid + ")";
  }
  return "";
}

}  // namespace meshdns::server
