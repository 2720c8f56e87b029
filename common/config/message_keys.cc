#include "common/config/message_keys.h"

#include "meshdns/v1/types.pb.h"

namespace meshdns::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using meshdns::v1::Object;

/// The fields of ObjectMeta that the Kubernetes API adds to an object, so that `kubectl get -o yaml` prints them.
/// source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
constexpr const char* kForeign[] = {"creationTimestamp",
                                    "deletionGracePeriodSeconds",
                                    "deletionTimestamp",
                                    "finalizers",
                                    "generateName",
                                    "generation",
                                    "managedFields",
                                    "ownerReferences",
                                    "resourceVersion",
                                    "selfLink",
                                    "uid"};

bool is_daemon_config(const Descriptor& type) { return type.file()->package() == "meshdns.config.v1"; }

bool is_object_spec(const FieldDescriptor& field) {
  return field.containing_type() == Object::descriptor() && field.real_containing_oneof() != nullptr;
}

}  // namespace

std::vector<std::string> Keys::names() const {
  std::vector<std::string> out;
  for (const Key& key : list) {
    if (!key.foreign) out.push_back(key.name);
  }
  return out;
}

const Keys& KeyTable::of(const Descriptor& type) {
  const auto [found, is_new] = keys_.try_emplace(&type);
  Keys& keys = found->second;
  if (!is_new) return keys;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (is_object_spec(field)) continue;
    const bool ignored = &type == Object::descriptor() && field.name() == "status";
    keys.list.push_back({is_daemon_config(type) ? field.name() : field.json_name(), ignored ? nullptr : &field});
  }
  if (&type == Object::descriptor()) keys.list.push_back({"spec"});
  if (&type == meshdns::v1::Metadata::descriptor()) {
    for (const char* name : kForeign) keys.list.push_back({name, nullptr, true});
  }
  for (std::size_t i = 0; i < keys.list.size(); ++i) keys.positions[keys.list[i].name] = i;
  return keys;
}

}  // namespace meshdns::config
