// Stands in for libsasl2 where librdkafka is linked statically: Debian's archive refers to it for
// Kerberos (GSSAPI) alone. Initialising succeeds and does nothing; asking for the mechanism fails.
// The other mechanisms are librdkafka's own.

extern "C" {

int sasl_client_init(const void*);
int sasl_client_new(const char*, const char*, const char*, const char*, const void*, unsigned,
                    void**);
int sasl_client_start(void*, const char*, void**, const char**, unsigned*, const char**);
int sasl_client_step(void*, const char*, unsigned, void**, const char**, unsigned*);
void sasl_dispose(void**);
const char* sasl_errdetail(void*);
const char* sasl_errstring(int, const char*, const char**);
int sasl_getprop(void*, int, const void**);
int sasl_listmech(void*, const char*, const char*, const char*, const char*, const char**,
                  unsigned*, int*);

constexpr int kSaslOk = 0;
constexpr int kSaslNoMechanism = -4;

int sasl_client_init(const void*) { return kSaslOk; }
int sasl_client_new(const char*, const char*, const char*, const char*, const void*, unsigned,
                    void**) {
  return kSaslNoMechanism;
}
int sasl_client_start(void*, const char*, void**, const char**, unsigned*, const char**) {
  return kSaslNoMechanism;
}
int sasl_client_step(void*, const char*, unsigned, void**, const char**, unsigned*) {
  return kSaslNoMechanism;
}
void sasl_dispose(void**) {}
const char* sasl_errdetail(void*) { return "Kerberos is not part of this program"; }
const char* sasl_errstring(int, const char*, const char**) {
  return "Kerberos is not part of this program";
}
int sasl_getprop(void*, int, const void**) { return kSaslNoMechanism; }
int sasl_listmech(void*, const char*, const char*, const char*, const char*, const char**,
                  unsigned*, int*) {
  return kSaslNoMechanism;
}
}
