#include "common/config/load.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/config/checks.h"
#include "common/config/message_reader.h"
#include "common/time/time_text.h"

namespace meshdns::config {
namespace {

using meshdns::v1::Object;

template <class T>
using Check = std::function<void(const Place&, const T&, Report&)>;

/// Reports YAML 1.1's merge keys, which are not supported. Loading stops then: otherwise the fields that the merge
/// would have brought would be reported as missing.
bool has_merge_keys(const Tree& tree, Report& report) {
  bool found = false;
  for (const YamlNode& node : tree.nodes) {
    if (!node.is(YamlNode::Kind::Map)) continue;
    for (std::size_t i = 0; i < node.children.size(); i += 2) {
      if (!node.children[i]->is(YamlNode::Kind::Scalar) || node.children[i]->text != "<<") continue;
      report.add(*node.children[i], "", "merge keys (<<) are not supported: write the fields out");
      found = true;
    }
  }
  return found;
}

/// Returns the documents that are not empty: a "---" at the beginning or the end of a file makes an empty one.
std::vector<const YamlNode*> documents_of(const Tree& tree) {
  std::vector<const YamlNode*> out;
  for (const YamlNode* document : tree.documents) {
    if (!document->is(YamlNode::Kind::Null)) out.push_back(document);
  }
  return out;
}

/// Loads a file with one document.
template <class T>
Loaded<T> load(const std::string& text, const std::string& file, const Check<T>& check) {
  Report report(file);
  auto tree = read_yaml(text);
  if (!tree) {
    report.add(tree.error());
    return report.take();
  }
  if (has_merge_keys(*tree, report)) return report.take();
  static const YamlNode nothing;
  const auto documents = documents_of(*tree);
  const Place root{documents.empty() ? &nothing : documents.front()};
  if (documents.size() > 1) report.add(*documents[1], "", "only one document is expected in this file");
  T out;
  MessageReader(report).read(root, out);
  check(root, out, report);
  if (!report.empty()) return report.take();
  return out;
}

/// Whether a document is a `kind: List`, which Kubernetes' tools write around several objects.
bool is_list_object(const YamlNode& document) {
  const YamlNode* kind = document.find("kind");
  return kind != nullptr && kind->is(YamlNode::Kind::Scalar) && kind->text == "List";
}

std::vector<const YamlNode*> items_of(const Place& list, Report& report) {
  for (std::size_t i = 0; i < list.node->children.size(); i += 2) {
    const YamlNode& key = *list.node->children[i];
    const bool known = key.text == "apiVersion" || key.text == "kind" || key.text == "metadata" || key.text == "items";
    if (!known) report.add(key, key.text, "unknown field (expected apiVersion, kind, metadata, items)");
  }
  const Place version = list.child("apiVersion");
  if (list.node->find("apiVersion") == nullptr || version.node->text != "v1") {
    report.add(version, "expected v1, as kind List has it");
  }
  const Place items = list.child("items");
  if (list.node->find("items") == nullptr || !items.node->is(YamlNode::Kind::List)) {
    report.add(items, "expected a list of objects");
    return {};
  }
  return items.node->children;
}

/// Removes kubectl's own copy of an object from the annotations: it would be out of date with the next change.
void drop_last_applied(Object& object) {
  object.mutable_metadata()->mutable_annotations()->erase("kubectl.kubernetes.io/last-applied-configuration");
}

/// Reads back the metadata that documents have in the status, for tools that work on such a document. A status is
/// nobody's input, so what is wrong in it is left out.
void read_from_status(const YamlNode& root, Object& object) {
  const YamlNode* status = root.find("status");
  if (status == nullptr) return;
  const auto text = [&](std::string_view key) {
    const YamlNode* value = status->find(key);
    return value != nullptr && value->is(YamlNode::Kind::Scalar) ? value->text : std::string();
  };
  meshdns::v1::Metadata& metadata = *object.mutable_metadata();
  if (const auto created = parse_time(text("created"))) metadata.set_created(*created);
  if (!text("origin").empty()) metadata.set_origin(text("origin"));
  if (!text("manager").empty()) metadata.set_manager(text("manager"));
  if (const auto revision = parse_uint(text("revision"))) metadata.set_revision(*revision);
}

void check_static_records(const Place& root, const v1::Meshdnsd& config, const RecordsCheck& check, Report& report) {
  if (!check) return;
  const Place dns = root.child("dns");
  const Place records = dns.child("static_records");
  for (const auto& [index, what] : check(config)) report.add(records.item(index), what);
}

}  // namespace

std::string Problem::text() const {
  const std::string where = line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
  return path.empty() ? fmt::format("{}: {}", where, what) : fmt::format("{}: {}: {}", where, path, what);
}

Loaded<v1::Meshdnsd> load_dnsd(const std::string& text, const std::string& file, const RecordsCheck& check_records) {
  return load<v1::Meshdnsd>(text, file, [&](const Place& root, const v1::Meshdnsd& config, Report& report) {
    check_dnsd(root, config, report);
    check_static_records(root, config, check_records, report);
  });
}

Loaded<v1::Meshdnsd> load_dnsd(const std::string& text, const std::string& file) { return load_dnsd(text, file, {}); }

Loaded<v1::Agent> load_agent(const std::string& text, const std::string& file) {
  return load<v1::Agent>(text, file, check_agent);
}

Loaded<v1::EndpointsFile> load_endpoints(const std::string& text, const std::string& file) {
  return load<v1::EndpointsFile>(text, file, check_endpoints);
}

Loaded<v1::MeshFile> load_mesh(const std::string& text, const std::string& file) {
  return load<v1::MeshFile>(text, file, check_mesh);
}

Loaded<std::vector<Object>> load_objects(const std::string& text, const std::string& file) {
  Report report(file);
  auto tree = read_yaml(text);
  if (!tree) {
    report.add(tree.error());
    return report.take();
  }
  if (has_merge_keys(*tree, report)) return report.take();
  std::vector<Object> out;
  std::vector<Place> roots;
  MessageReader reader(report);
  for (const YamlNode* document : documents_of(*tree)) {
    if (document->is(YamlNode::Kind::List)) {  // `get -o json` writes several objects as a list
      for (const YamlNode* object : document->children) roots.push_back({object});
    } else if (is_list_object(*document)) {
      for (const YamlNode* object : items_of({document}, report)) roots.push_back({object});
    } else {
      roots.push_back({document});
    }
  }
  for (const Place& root : roots) reader.read(root, out.emplace_back());
  check_objects(roots, out, report);
  if (!report.empty()) return report.take();
  for (std::size_t i = 0; i < out.size(); ++i) {
    drop_last_applied(out[i]);
    read_from_status(*roots[i].node, out[i]);
  }
  return out;
}

std::string problems_text(const Problems& problems) {
  std::string out;
  for (const auto& problem : problems) out += problem.text() + "\n";
  return out;
}

}  // namespace meshdns::config
