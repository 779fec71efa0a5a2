"""The link over MQTT 3.1.1: the one door to paho-mqtt. `link` is for everybody, the other files are its own.

- `link` keeps a connection, `client` is paho's client held short, `subscriptions` is what was asked for and granted.
"""

from wire.mqtt.link import MqttLink, Options, Tls

__all__ = ["MqttLink", "Options", "Tls"]
