"""The link over MQTT 3.1.1: the one door to paho-mqtt. `link` is for everybody, the other files are its own.

- `link` keeps a connection, `client` is paho's client held short, `subscriptions` is what was asked for and granted,
  `tls_files` reads certificates and keys.
"""

from wire.mqtt.link import Credentials, MqttLink, Options
from wire.mqtt.tls_files import Tls, context, tls

__all__ = ["Credentials", "MqttLink", "Options", "Tls", "context", "tls"]
