#pragma once

#include <functional>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "meshdns/config/v1/agent.pb.h"
#include "meshdns/config/v1/dnsd.pb.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::config {

/// One error in a file. Lines and columns count from 1; 0 = the file as a whole.
struct Problem {
  std::string file;
  int line = 0, column = 0;
  std::string path;  // "spec.ports[0].targetPort"; empty = the document
  std::string what;

  /// Returns "file:line:col: path: what".
  std::string text() const;
  friend bool operator==(const Problem&, const Problem&) = default;
};

using Problems = std::vector<Problem>;

/// A value, or all its problems at once, in the order of the lines.
template <class T>
class [[nodiscard]] Loaded : public tl::expected<T, Problems> {
 public:
  using tl::expected<T, Problems>::expected;
  Loaded(Problems problems) : tl::expected<T, Problems>(tl::unexpected<Problems>(std::move(problems))) {}
};

/// Checks dns.static_records, and returns what is wrong by the record's position. Passed in by dnsd, because this
/// library cannot read zone text.
using RecordsCheck = std::function<std::map<std::size_t, std::string>(const v1::Meshdnsd&)>;

// The load functions take the whole text of a file; `file` is the name that appears in problems. Unknown keys, and keys
// that are not supported yet, are problems. Defaults of daemon configurations are filled in.

/// Reads meshdnsd.yaml.
Loaded<v1::Meshdnsd> load_dnsd(const std::string& text, const std::string& file);
Loaded<v1::Meshdnsd> load_dnsd(const std::string& text, const std::string& file, const RecordsCheck& check_records);
/// Reads agent.yaml.
Loaded<v1::Agent> load_agent(const std::string& text, const std::string& file);
/// Reads one file of the agent's endpoints.d.
Loaded<v1::EndpointsFile> load_endpoints(const std::string& text, const std::string& file);
/// Reads dns.endpoints_file: nodes with their endpoints, and objects.
Loaded<v1::MeshFile> load_mesh(const std::string& text, const std::string& file);
/// Reads operators' objects: documents with '---' between them, or lists of objects. Fills in no defaults, so that the
/// stored object is what was applied.
Loaded<std::vector<meshdns::v1::Object>> load_objects(const std::string& text, const std::string& file);

/// Returns one line for each problem, each with a line end.
std::string problems_text(const Problems& problems);

}  // namespace meshdns::config
