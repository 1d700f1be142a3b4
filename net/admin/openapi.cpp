#include "net/admin/api_table.hpp"

#include <algorithm>
#include <cctype>

namespace cairn::net {

namespace {

json_object reference(std::string_view schema) {
  return {{"$ref", "#/components/schemas/" + std::string{schema}}};
}

json_object type_of(std::string_view type) {
  if (type.ends_with('?')) {
    const auto inner = type_of(type.substr(0, type.size() - 1));
    return {{"anyOf", json_array{inner, json_object{{"type", "null"}}}}};
  }
  if (type.starts_with('[')) return {{"type", "array"}, {"items", type_of(type.substr(1, type.size() - 2))}};
  if (type == "string" || type == "integer" || type == "boolean") return {{"type", type}};
  if (type.find('|') == type.npos && std::ranges::find(api_schemas(), type, &api_schema::name) != api_schemas().end())
    return reference(type);
  json_array values;
  for (auto left = type; !left.empty();) {
    const auto one = left.substr(0, left.find('|'));
    values.push_back(json_value(one));
    left.remove_prefix(std::min(left.size(), one.size() + 1));
  }
  return {{"type", "string"}, {"enum", std::move(values)}};
}

json_object schema_object(const api_schema& schema) {
  json_object properties;
  json_array required;
  for (const auto& field : schema.fields) {
    auto type = type_of(field.type);
    if (!field.help.empty()) type["description"] = json_value(field.help);
    properties[field.name] = std::move(type);
    required.push_back(json_value(field.name));
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

json_object parameter_object(std::string_view name, std::string_view in, bool required, json_object schema,
                             std::string_view help) {
  return {{"name", name}, {"in", in}, {"required", required}, {"description", help}, {"schema", std::move(schema)}};
}

json_array parameters_of(const api_row& row) {
  json_array out;
  if (const auto open = row.path.find('{'); open != row.path.npos) {
    const auto name = row.path.substr(open + 1, row.path.find('}') - open - 1);
    const auto* help = name == "node" ? "Its number, its address, or its id or how that begins." : "Its name.";
    out.push_back(parameter_object(name, "path", true, type_of("string"), help));
  }
  for (const auto& p : row.parameters)
    out.push_back(parameter_object(p.name, "query", p.required, type_of(p.type), p.help));
  if (row.text)
    out.push_back(parameter_object("format", "query", false, type_of("json|text"), "text: an answer for people."));
  return out;
}

json_object operation_of(const api_row& row) {
  const auto content = [](const char* type, json_object schema) {
    return json_object{{type, json_object{{"schema", std::move(schema)}}}};
  };
  auto good = content("application/json", row.schema.empty() ? json_object{{"type", "object"}} : reference(row.schema));
  if (row.text) good["text/plain"] = json_object{{"schema", type_of("string")}};
  json_array security;
  const bool signs_in = row.name == "signIn";
  if (row.right != api_right::anyone || signs_in) security.push_back(json_object{{"token", json_array{}}});
  if (row.right != api_right::anyone) security.push_back(json_object{{"session", json_array{}}});
  if (signs_in) security.push_back(json_object{{"accessKey", json_array{}}});
  return {{"operationId", row.name},
          {"summary", summary_of(row)},
          {"parameters", parameters_of(row)},
          {"security", std::move(security)},
          {"responses",
           json_object{{"200", json_object{{"description", "Done."}, {"content", std::move(good)}}},
                       {"default", json_object{{"description", "Refused, or failed."},
                                               {"content", content("application/json", reference("refusal"))}}}}}};
}

} // namespace

json_object openapi_document(std::string_view version) {
  json_object paths, schemas;
  for (const auto& row : api_rows()) {
    auto& path = paths[row.path];
    if (!path.is_object()) path = json_object{};
    const auto method = boost::beast::http::to_string(row.method);
    std::string name{method.data(), method.size()};
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    path.as_object()[name] = operation_of(row);
  }
  for (const auto& schema : api_schemas()) schemas[schema.name] = schema_object(schema);
  return {
      {"openapi", "3.1.0"},
      {"info", json_object{{"title", "Cairn's admin API"}, {"version", version}}},
      {"paths", std::move(paths)},
      {"components",
       json_object{{"schemas", std::move(schemas)},
                   {"securitySchemes",
                    json_object{{"token", json_object{{"type", "apiKey"}, {"in", "header"}, {"name", "Cairn-Token"}}},
                                {"session", json_object{{"type", "apiKey"},
                                                        {"in", "header"},
                                                        {"name", "Cairn-CSRF"},
                                                        {"description",
                                                         "With the cookie that signIn set. Reading needs the cookie "
                                                         "only."}}},
                                {"accessKey", json_object{{"type", "http"}, {"scheme", "basic"}}}}}}}};
}

} // namespace cairn::net
