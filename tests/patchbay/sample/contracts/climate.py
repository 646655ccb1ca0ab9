"""The records of the climate service's stream; they are never on the bus."""

from pydantic import BaseModel, ConfigDict

from contracts.measures import Celsius, SensorId


class Measurement(BaseModel):
    """A sensor's temperature at one moment."""

    model_config = ConfigDict(frozen=True)

    sensor_id: SensorId
    celsius: Celsius
