#include "tests/support/dns/record.h"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <string_view>

namespace meshdns::test {

void record_packet(const Bytes& packet) {
  const char* folder = std::getenv("MESHDNS_RECORD_PACKETS");
  if (folder == nullptr) return;
  const std::string_view bytes(reinterpret_cast<const char*>(packet.data()), packet.size());
  const std::string name = std::to_string(std::hash<std::string_view>()(bytes));
  std::ofstream(std::string(folder) + "/" + name, std::ios::binary) << bytes;
}

}  // namespace meshdns::test
