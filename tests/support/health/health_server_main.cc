// A gRPC server with grpc.health.v1 for tests that run the agent's binary:
//
//   health_server [PORT [CERTIFICATE KEY]]
//
// It prints "health_server listening address=127.0.0.1:PORT", then obeys lines on standard input, and ends with it:
//
//   SERVICE serving|not-serving|unknown     "" is written as - : the server as a whole

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "common/base/whole_file.h"
#include "tests/support/health/health_server.h"

namespace {

using meshdns::test::HealthServer;

HealthServer::Status status_of(const std::string& word) {
  if (word == "serving") return HealthServer::Status::Serving;
  return word == "not-serving" ? HealthServer::Status::NotServing : HealthServer::Status::Unknown;
}

}  // namespace

int main(int argc, char** argv) {
  HealthServer::Options options;
  if (argc > 1) options.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  if (argc > 3) {
    options.certificate = meshdns::read_file(argv[2]).value();
    options.key = meshdns::read_file(argv[3]).value();
  }
  HealthServer server(options);
  std::cout << "health_server listening address=" << server.at().text() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string service, word;
    words >> service >> word;
    server.set(service == "-" ? "" : service, status_of(word));
  }
  return 0;
}
